"""Terms that start after some epochs, return every few steps, or have a weight that may be zero."""
from types import SimpleNamespace

import torch
from torch import nn

cfg = SimpleNamespace(smooth=True, start=1, every=2)


def ramp(epoch, length):
    return max(0.0, min(1.0, (epoch - 1) / length))


class Trainer:
    def __init__(self, net, cfg):
        self.net = net
        self.cfg = cfg
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        self.criterion = nn.CrossEntropyLoss()
        self.global_step = 0

    def train_epoch(self, batches, epoch, schedule):
        for x, y in batches:
            weight = schedule(epoch, 2)
            out = self.net(x)
            loss = self.criterion(out, y)
            if self.cfg.smooth and epoch >= self.cfg.start:
                loss = loss + 0.1 * out.pow(2).mean()
            if self.cfg.smooth and self.global_step % self.cfg.every == 0:
                loss = loss + 0.1 * out.abs().mean()
            if weight > 0:
                loss = loss + weight * out.logsumexp(1).mean()
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
