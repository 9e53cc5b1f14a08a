"""Names have None or 0 unless an option or a shape gives them more; some are read after the step."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, net, critic):
        super().__init__()
        self.net = net
        self.critic = critic

    def forward(self, x, step_ge_start, penalty_weight):
        y_sub = None
        scores, feats = None, None
        penalty = 0
        fake = self.net(x)
        if fake.shape[1] > 2:
            y_sub = fake[:, :2]
        if step_ge_start:
            scores = self.critic(fake)
            feats = scores * 0.5
        if penalty_weight > 0:
            penalty = fake.pow(2).mean()
        loss = F.mse_loss(fake, x) + penalty_weight * penalty
        if y_sub is not None:
            loss = loss + 0.1 * y_sub.abs().mean()
        if scores is not None:
            loss = loss - 0.1 * (scores + feats).mean()
        return loss, penalty


def train(net, critic, loader, optimizer, penalty_weight, start):
    net_with_loss = ort_module(ModuleWithLoss, net, critic)
    for step, x in enumerate(loader):
        optimizer.zero_grad()
        loss, penalty = net_with_loss(x, step >= start, penalty_weight)
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f} {float(penalty):.4f}")


for weight, width in ((0.0, 2), (0.5, 4)):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(width, 5), nn.Tanh(), nn.Linear(5, width))
    critic = nn.Linear(width, 1)
    optimizer = torch.optim.SGD([*net.parameters(), *critic.parameters()], lr=0.1)
    train(net, critic, torch.randn(6, 8, width), optimizer, weight, start=3)
