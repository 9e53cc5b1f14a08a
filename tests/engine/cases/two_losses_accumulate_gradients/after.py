"""Two forwards, two backwards, one update"""
import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class ModelWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, labeled, target):
        return F.cross_entropy(self.model(labeled), target)


class ModelWithEntropyLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, probabilities):
        return -(probabilities * probabilities.log()).sum(1).mean()

    def forward(self, unlabeled):
        probabilities = torch.softmax(self.model(unlabeled), dim=1)
        return self.compute_loss(probabilities)


torch.manual_seed(0)
model = nn.Linear(5, 4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModelWithLoss, model)
model_with_entropy_loss = ort_module(ModelWithEntropyLoss, model)
for labeled, target, unlabeled in [
    (torch.randn(4, 5), torch.randint(0, 4, (4,)), torch.randn(6, 5)) for _ in range(3)
]:
    optimizer.zero_grad()
    supervised_loss = model_with_loss(labeled, target)
    supervised_loss.backward()
    # entropy of the guesses
    entropy_loss = model_with_entropy_loss(unlabeled)
    entropy_loss.backward()
    optimizer.step()
    print(f"{supervised_loss.item():.5f} {entropy_loss.item():.5f}")
