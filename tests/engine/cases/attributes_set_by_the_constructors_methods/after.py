"""A trainer whose constructor has its parts made by methods, and whose penalty is optional."""
import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Trainer.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, frozen, criterion, distance):
        super().__init__()
        self.model = model
        self.frozen = frozen
        self.criterion = criterion
        self.distance = distance

    def forward(self, x, y, weight):
        output = self.model(x)
        loss = self.criterion(output, y)
        if weight > 0:
            loss = loss + weight * self.distance(output, self.frozen(x))
        return loss


class Trainer:
    def __init__(self, weight):
        self.weight = weight
        self.setup()

    def setup(self):
        self.build_model()
        self.build_losses()

    def build_model(self):
        self.model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
        self.frozen = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.01)

    def build_losses(self):
        self.criterion = nn.CrossEntropyLoss()
        self.distance = nn.MSELoss()

    def train(self, batches):
        model_with_loss = ort_module(
            ModuleWithLoss, self.model, self.frozen, self.criterion, self.distance
        )
        for x, y in batches:
            loss = model_with_loss(x, y, self.weight)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            print(f"{loss.item():.5f}")


batches = [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(3)]
Trainer(0.5).train(batches)
