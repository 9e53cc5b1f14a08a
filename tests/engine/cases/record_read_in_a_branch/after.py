"""A record of which one branch reads a field goes into forward whole, and nothing of it besides."""
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F
from ortwrap.runtime import ort_module


class Rollout(NamedTuple):
    observations: torch.Tensor
    old_values: torch.Tensor
    returns: torch.Tensor


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Algorithm.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, policy):
        super().__init__()
        self.policy = policy

    def compute_loss(self, clip_range, values, rollout):
        if clip_range is None:
            predicted = values
        else:
            predicted = rollout.old_values + torch.clamp(
                values - rollout.old_values, -clip_range, clip_range
            )
        return F.mse_loss(rollout.returns, predicted)

    def forward(self, rollout, clip_range):
        values = self.policy(rollout.observations).flatten()
        return self.compute_loss(clip_range, values, rollout)


class Algorithm:
    def __init__(self, policy, rollouts, clip_range=None):
        self.policy = policy
        self.rollouts = rollouts
        self.clip_range = clip_range
        self.optimizer = torch.optim.SGD(policy.parameters(), lr=0.1)

    def train(self):
        policy_with_loss = ort_module(ModuleWithLoss, self.policy)
        self.policy.train()
        for rollout in self.rollouts:
            loss = policy_with_loss(rollout, self.clip_range)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            print(f"{loss.item():.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    rollouts = [Rollout(torch.randn(6, 4), torch.randn(6), torch.randn(6)) for _ in range(4)]
    for clip_range in (None, 0.5):
        Algorithm(nn.Linear(4, 1), rollouts, clip_range).train()
