"""A criterion that each step makes alike is made by the class, and the wrapper before the loop."""
import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.criterion = nn.CrossEntropyLoss(label_smoothing=0.1)

    def forward(self, x, y):
        return self.criterion(self.model(x), y)


def train(model, loader, optimizer, device):
    model_with_loss = ort_module(ModuleWithLoss, model)
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        optimizer.zero_grad()
        loss = model_with_loss(x, y)
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = [(torch.randn(6, 4), torch.randint(3, (6,))) for _ in range(4)]
    train(model, loader, optimizer, torch.device("cpu"))
