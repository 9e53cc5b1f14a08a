"""The actor's loss runs the critic first, but the step trains the actor: its wrapper says so."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class CriticWithLoss(nn.Module):
    """Forward pass and loss of `DDPG.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, critic):
        super().__init__()
        self.critic = critic

    def compute_loss(self, current_q, target_q):
        return F.mse_loss(current_q, target_q)

    def forward(self, state, action, target_q):
        current_q = self.critic(torch.cat([state, action], 1))
        return self.compute_loss(current_q, target_q)


class ActorWithLoss(nn.Module):
    """Forward pass and loss of `DDPG.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, critic, actor):
        super().__init__()
        self.critic = critic
        self.actor = actor

    def forward(self, state):
        return -self.critic(torch.cat([state, self.actor(state)], 1)).mean()


class DDPG:
    def __init__(self):
        self.actor = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2), nn.Tanh())
        self.critic = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=0.01)
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=0.01)

    def train(self, state, action, target_q):
        critic_with_loss = ort_module(CriticWithLoss, self.critic)
        actor_with_loss = ort_module(ActorWithLoss, self.critic, self.actor)
        # Get current Q estimate
        # Compute critic loss
        critic_loss = critic_with_loss(state, action, target_q)

        # Optimize the critic
        self.critic_optimizer.zero_grad()
        critic_loss.backward()
        self.critic_optimizer.step()

        # Compute actor loss
        actor_loss = actor_with_loss(state)

        # Optimize the actor
        self.actor_optimizer.zero_grad()
        actor_loss.backward()
        self.actor_optimizer.step()
        return critic_loss.item(), actor_loss.item()


agent = DDPG()
for step in range(4):
    print(agent.train(torch.randn(8, 4), torch.randn(8, 2), torch.randn(8, 1)))
