"""Losses are noted on the way, by a method of the trainer, which counts its batches there too."""
import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Trainer.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, net, criterion):
        super().__init__()
        self.net = net
        self.criterion = criterion

    def forward(self, x, y):
        out = self.net(x)
        loss_a = self.criterion(out, y)
        out_b = self.net(y)
        loss_b = self.criterion(out_b, x)
        loss = loss_a + loss_b
        return loss, loss_a.detach(), loss_b.detach()


class Trainer:
    def __init__(self, net, criterion, optimizer):
        self.net, self.criterion, self.optimizer = net, criterion, optimizer
        self._meters = {"a": 0, "b": 0, "loss": 0}
        self.seen = 0

    def update_meter(self, name, value):
        if name not in self._meters:
            raise Exception(f"meter: {name} not registered")
        self._meters[name] = value

    def train(self, batches):
        net_with_loss = ort_module(ModuleWithLoss, self.net, self.criterion)
        for x, y in batches:
            loss, loss_a, loss_b = net_with_loss(x, y)
            self.update_meter("a", loss_a.item())
            self.seen += len(x)
            self.update_meter("b", loss_b.item())
            self.update_meter("loss", loss.item())
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()


if __name__ == "__main__":
    torch.manual_seed(0)
    net = nn.Linear(3, 3)
    trainer = Trainer(net, nn.MSELoss(), torch.optim.SGD(net.parameters(), lr=0.1))
    trainer.train([(torch.randn(2, 3), torch.randn(2, 3)) for _ in range(3)])
    print(trainer._meters, trainer.seen)
