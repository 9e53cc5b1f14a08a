"""The actor's loss runs the critic first, but the step trains the actor: its wrapper says so."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class DDPG:
    def __init__(self):
        self.actor = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2), nn.Tanh())
        self.critic = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=0.01)
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=0.01)

    def train(self, state, action, target_q):
        # Get current Q estimate
        current_q = self.critic(torch.cat([state, action], 1))

        # Compute critic loss
        critic_loss = F.mse_loss(current_q, target_q)

        # Optimize the critic
        self.critic_optimizer.zero_grad()
        critic_loss.backward()
        self.critic_optimizer.step()

        # Compute actor loss
        actor_loss = -self.critic(torch.cat([state, self.actor(state)], 1)).mean()

        # Optimize the actor
        self.actor_optimizer.zero_grad()
        actor_loss.backward()
        self.actor_optimizer.step()
        return critic_loss.item(), actor_loss.item()


agent = DDPG()
for step in range(4):
    print(agent.train(torch.randn(8, 4), torch.randn(8, 2), torch.randn(8, 1)))
