"""A policy trains itself against a critic, weighted by a tensor that it keeps beside its layers."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 16)
        self.mean = nn.Linear(16, 1)
        self.scale = nn.Linear(16, 1)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=1e-2)
        self.log_alpha = torch.tensor(-2.0)
        self.log_alpha.requires_grad = True

    def forward(self, state):
        hidden = torch.tanh(self.body(state))
        spread = Normal(self.mean(hidden), F.softplus(self.scale(hidden)))
        action = spread.rsample()
        return action, spread.log_prob(action)

    def improve(self, critic, state):
        action, log_prob = self.forward(state)
        entropy = -self.log_alpha.exp() * log_prob
        value = critic(torch.cat([state, action], dim=1))
        loss = (-value - entropy).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


torch.manual_seed(0)
policy, critic = Policy(), nn.Linear(4, 1)
for _ in range(4):
    print(f"{policy.improve(critic, torch.randn(8, 3)):.5f}")
    print(f"{policy.log_alpha.grad.item():.5f}")
