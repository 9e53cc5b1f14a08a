"""Terms are added to zeros that are made on the device of the step."""
import torch
from torch import nn
from ortwrap.runtime import ort_module

model = nn.Sequential(nn.Linear(4, 8), nn.Tanh())
heads = nn.ModuleList(nn.Linear(8, 3) for _ in range(2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD([*model.parameters(), *heads.parameters()], lr=0.1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, heads, criterion):
        super().__init__()
        self.model = model
        self.heads = heads
        self.criterion = criterion

    def forward(self, x, device, y):
        features = self.model(x)
        loss = torch.zeros(1, device=device)
        for head in self.heads:
            loss += self.criterion(head(features), y)
        return loss


def train(loader, device):
    model_with_loss = ort_module(ModuleWithLoss, model, heads, criterion)
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        loss = model_with_loss(x, device, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    loader = [(torch.randn(6, 4), torch.randint(3, (6,))) for _ in range(4)]
    train(loader, torch.device("cpu"))
