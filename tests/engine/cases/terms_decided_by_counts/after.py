"""Terms that start after some epochs, return every few steps, or have a weight that may be zero."""
from types import SimpleNamespace

import torch
from torch import nn
from ortwrap.runtime import ort_module

cfg = SimpleNamespace(smooth=True, start=1, every=2)


def ramp(epoch, length):
    return max(0.0, min(1.0, (epoch - 1) / length))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Trainer.train_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, net, criterion):
        super().__init__()
        self.net = net
        self.criterion = criterion

    def compute_loss(
        self,
        out,
        y,
        smooth_and_epoch_ge_start,
        smooth_and_global_step_mod_every_eq_0,
        weight_gt_0,
        weight,
    ):
        loss = self.criterion(out, y)
        if smooth_and_epoch_ge_start:
            loss = loss + 0.1 * out.pow(2).mean()
        if smooth_and_global_step_mod_every_eq_0:
            loss = loss + 0.1 * out.abs().mean()
        if weight_gt_0:
            loss = loss + weight * out.logsumexp(1).mean()
        return loss

    def forward(
        self,
        x,
        y,
        smooth_and_epoch_ge_start,
        smooth_and_global_step_mod_every_eq_0,
        weight_gt_0,
        weight,
    ):
        out = self.net(x)
        return self.compute_loss(
            out,
            y,
            smooth_and_epoch_ge_start,
            smooth_and_global_step_mod_every_eq_0,
            weight_gt_0,
            weight,
        )


class Trainer:
    def __init__(self, net, cfg):
        self.net = net
        self.cfg = cfg
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        self.criterion = nn.CrossEntropyLoss()
        self.global_step = 0

    def train_epoch(self, batches, epoch, schedule):
        net_with_loss = ort_module(ModuleWithLoss, self.net, self.criterion)
        for x, y in batches:
            weight = schedule(epoch, 2)
            loss = net_with_loss(
                x,
                y,
                self.cfg.smooth and epoch >= self.cfg.start,
                self.cfg.smooth and self.global_step % self.cfg.every == 0,
                weight > 0,
                weight,
            )
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.global_step += 1
            print(f"{self.global_step} {weight} {loss.item():.4f}")


torch.manual_seed(0)
trainer = Trainer(nn.Linear(4, 3), cfg)
for epoch in range(4):
    batches = [(torch.randn(5, 4), torch.randint(0, 3, (5,))) for _ in range(3)]
    trainer.train_epoch(batches, epoch, ramp)
