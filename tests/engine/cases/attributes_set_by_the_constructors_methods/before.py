"""A trainer whose constructor has its parts made by methods, and whose penalty is optional."""
import torch
import torch.nn as nn

torch.manual_seed(0)


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
        for x, y in batches:
            output = self.model(x)
            loss = self.criterion(output, y)
            if self.weight > 0:
                loss = loss + self.weight * self.distance(output, self.frozen(x))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            print(f"{loss.item():.5f}")


batches = [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(3)]
Trainer(0.5).train(batches)
