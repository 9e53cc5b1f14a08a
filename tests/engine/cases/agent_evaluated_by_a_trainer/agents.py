import torch
import torch.nn.functional as F
from torch import nn


class Agent:
    def __init__(self, size, actions):
        self.actor = nn.Sequential(nn.Linear(size, 32), nn.Tanh(), nn.Linear(32, actions))
        self.critic = nn.Sequential(nn.Linear(size, 32), nn.Tanh(), nn.Linear(32, 1))
        trained = [*self.actor.parameters(), *self.critic.parameters()]
        self.optimizer = torch.optim.Adam(trained, lr=1e-3)

    def evaluate(self, states, actions):
        log_probs = F.log_softmax(self.actor(states), dim=1)
        chosen = log_probs.gather(1, actions.unsqueeze(1)).squeeze(1)
        return chosen, self.critic(states).squeeze(1)
