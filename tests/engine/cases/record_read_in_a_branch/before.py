"""A record of which one branch reads a field goes into forward whole, and nothing of it besides."""
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F


class Rollout(NamedTuple):
    observations: torch.Tensor
    old_values: torch.Tensor
    returns: torch.Tensor


class Algorithm:
    def __init__(self, policy, rollouts, clip_range=None):
        self.policy = policy
        self.rollouts = rollouts
        self.clip_range = clip_range
        self.optimizer = torch.optim.SGD(policy.parameters(), lr=0.1)

    def train(self):
        self.policy.train()
        for rollout in self.rollouts:
            values = self.policy(rollout.observations).flatten()
            if self.clip_range is None:
                predicted = values
            else:
                predicted = rollout.old_values + torch.clamp(
                    values - rollout.old_values, -self.clip_range, self.clip_range
                )
            loss = F.mse_loss(rollout.returns, predicted)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            print(f"{loss.item():.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    rollouts = [Rollout(torch.randn(6, 4), torch.randn(6), torch.randn(6)) for _ in range(4)]
    for clip_range in (None, 0.5):
        Algorithm(nn.Linear(4, 1), rollouts, clip_range).train()
