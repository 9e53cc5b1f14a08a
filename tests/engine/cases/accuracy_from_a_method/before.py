"""A ranking of two distances: its accuracy comes from a method between the two modules."""
import torch
from torch import nn

torch.manual_seed(0)


class RankingLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(2, 1)
        self.criterion = nn.BCEWithLogitsLoss()

    def forward(self, first, second, judge):
        return self.criterion(self.net(torch.cat([first, second], dim=1)), judge)


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
        self.first = self.net.forward(self.reference - self.one).abs()
        self.second = self.net.forward(self.reference - self.two).abs()
        self.accuracy = self.compute_accuracy(self.first, self.second, self.judge)
        self.loss = self.rank.forward(self.first, self.second, self.judge)

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
