import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `run_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, logits, y):
        return self.criterion(logits, y)

    def forward(self, x, y):
        logits = self.model(x)
        return self.compute_loss(logits, y)


def run_epoch(model, loader, criterion, optimizer=None):
    """Trains if there is an optimizer, else evaluates"""
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    is_train = optimizer is not None
    model.train(is_train)
    total = 0.0
    with torch.set_grad_enabled(is_train):
        for x, y in loader:
            loss = model_with_loss(x, y)
            if is_train:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item()
    return total / len(loader)


net = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
data = [(torch.randn(4, 5), torch.randint(0, 3, (4,))) for _ in range(3)]
for epoch in range(2):
    print(f"train {run_epoch(net, data, nn.CrossEntropyLoss(), opt):.5f}")
    print(f"val   {run_epoch(net, data, nn.CrossEntropyLoss()):.5f}")
