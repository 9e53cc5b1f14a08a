"""A ranking of two distances: its accuracy comes from a method between the two modules."""
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class RankingLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(2, 1)
        self.criterion = nn.BCEWithLogitsLoss()

    def forward(self, first, second, judge):
        return self.criterion(self.net(torch.cat([first, second], dim=1)), judge)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Distance.forward_train`, exported to ONNX Runtime as one graph."""

    def __init__(self, net, rank):
        super().__init__()
        self.net = net
        self.rank = rank

    def compute_loss(self, first, second, judge):
        return self.rank.forward(first, second, judge)

    def forward(self, reference, one, two, judge):
        first = self.net.forward(reference - one).abs()
        second = self.net.forward(reference - two).abs()
        loss = self.compute_loss(first, second, judge)
        return loss, first, second


class Distance:
    def initialize(self):
        self.net = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1))
        self.rank = RankingLoss()
        parameters = [*self.net.parameters(), *self.rank.net.parameters()]
        self.optimizer = torch.optim.Adam(parameters, lr=0.01)

    def set_input(self, batch):
        self.reference, self.one, self.two, self.judge = batch

    def compute_accuracy(self, first, second, judge):
        """Reads and sets nothing of the instance."""
        nearer = (first < second).float()
        return (nearer * judge + (1 - nearer) * (1 - judge)).mean().item()

    def forward_train(self):
        net_with_loss = ort_module(ModuleWithLoss, self.net, self.rank)
        loss, self.first, self.second = net_with_loss(
            self.reference, self.one, self.two, self.judge
        )
        self.accuracy = self.compute_accuracy(self.first, self.second, self.judge)
        self.loss = loss

    def backward_train(self):
        torch.mean(self.loss).backward()

    def optimize_parameters(self):
        self.forward_train()
        self.optimizer.zero_grad()
        self.backward_train()
        self.optimizer.step()


trainer = Distance()
trainer.initialize()
for step in range(3):
    trainer.set_input([*torch.randn(3, 6, 5), torch.rand(6, 1).round()])
    trainer.optimize_parameters()
    print(f"{trainer.loss.item():.5f} {trainer.accuracy:.4f}")
