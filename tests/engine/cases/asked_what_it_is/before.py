"""A trainer asks what some objects are, and reads nothing else of them: the answers go in."""
import torch
import torch.nn.functional as F
from torch import nn


class Box:
    pass


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.value = nn.Linear(4, 1)
        self.action = nn.Linear(4, 2)

    def forward(self, x):
        return self.value(x).flatten(), self.action(x)


class Learner:
    def __init__(self, policy, space, clip_range_vf=None):
        self.policy = policy
        self.space = space
        self.clip_range_vf = clip_range_vf
        self.optimizer = torch.optim.SGD(policy.parameters(), lr=0.1)

    def train(self, rollouts):
        if self.clip_range_vf is not None:
            clip_range_vf = self.clip_range_vf(0.5)
        for observations, actions, returns, old_values in rollouts:
            self.optimizer.zero_grad()
            values, predicted = self.policy(observations)
            if self.clip_range_vf is None:
                # No clipping
                values_pred = values
            else:
                values_pred = old_values + torch.clamp(
                    values - old_values, -clip_range_vf, clip_range_vf
                )
            value_loss = F.mse_loss(returns, values_pred)
            if isinstance(self.space, Box):
                action_loss = F.mse_loss(predicted, actions)
            else:
                action_loss = F.cross_entropy(predicted, actions.argmax(dim=1))
            loss = value_loss + action_loss
            loss.backward()
            self.optimizer.step()
            print(f"{value_loss.item():.4f} {loss.item():.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    rollouts = [
        (torch.randn(6, 4), torch.randn(6, 2), torch.randn(6), torch.randn(6)) for _ in range(3)
    ]
    Learner(Policy(), Box()).train(rollouts)
    Learner(Policy(), None, clip_range_vf=lambda progress: 0.4 * progress).train(rollouts)
