"""As the Hugging Face Trainer is laid out: a method runs the model and returns the loss."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Trainer:
    def __init__(self, model, loader):
        self.model = model
        self.loader = loader
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def compute_loss(self, batch):
        x, y = batch
        return F.cross_entropy(self.model(x), y)

    def train(self):
        for batch in self.loader:
            loss = self.compute_loss(batch)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            print(f"{loss.item():.5f}")


loader = [(torch.randn(4, 5), torch.randint(0, 3, (4,))) for _ in range(3)]
Trainer(nn.Linear(5, 3), loader).train()
