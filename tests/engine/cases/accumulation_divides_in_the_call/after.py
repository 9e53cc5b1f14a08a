import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, x, y):
        return self.criterion(self.model(x), y)


def train_epoch(model, loader, criterion, optimizer, grad_accum):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    model.train()
    running = 0.0
    optimizer.zero_grad()
    for step, (x, y) in enumerate(loader):
        loss = model_with_loss(x, y)
        (loss / grad_accum).backward()
        running += loss.item()
        if (step + 1) % grad_accum == 0 or step + 1 == len(loader):
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    return running / len(loader)


net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
sgd = torch.optim.SGD(net.parameters(), lr=0.1)
data = [(torch.randn(3, 4), torch.randn(3, 1)) for _ in range(5)]
for epoch in range(2):
    print(f"{train_epoch(net, data, nn.MSELoss(), sgd, grad_accum=2):.5f}")
