"""As the Hugging Face Trainer is laid out: a method runs the model and returns the loss."""
import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Trainer.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, compute_loss):
        super().__init__()
        self.model = model
        self.compute_loss = compute_loss

    def forward(self, batch):
        return self.compute_loss(batch)


class Trainer:
    def __init__(self, model, loader):
        self.model = model
        self.loader = loader
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def compute_loss(self, batch):
        x, y = batch
        return F.cross_entropy(self.model(x), y)

    def train(self):
        model_with_loss = ort_module(ModuleWithLoss, self.model, self.compute_loss)
        for batch in self.loader:
            loss = model_with_loss(batch)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            print(f"{loss.item():.5f}")


loader = [(torch.randn(4, 5), torch.randint(0, 3, (4,))) for _ in range(3)]
Trainer(nn.Linear(5, 3), loader).train()
