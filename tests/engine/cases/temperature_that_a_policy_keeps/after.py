"""A policy trains itself against a critic, weighted by a tensor that it keeps beside its layers."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Policy.improve`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, critic):
        super().__init__()
        self.model = model
        self.critic = critic

    def compute_loss(self, value, entropy):
        return (-value - entropy).mean()

    def forward(self, state, log_alpha):
        action, log_prob = self.model.forward(state)
        entropy = -log_alpha.exp() * log_prob
        value = self.critic(torch.cat([state, action], dim=1))
        return self.compute_loss(value, entropy)


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
        model_with_loss = ort_module(ModuleWithLoss, self, critic)
        loss = model_with_loss(state, self.log_alpha)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


torch.manual_seed(0)
policy, critic = Policy(), nn.Linear(4, 1)
for _ in range(4):
    print(f"{policy.improve(critic, torch.randn(8, 3)):.5f}")
    print(f"{policy.log_alpha.grad.item():.5f}")
