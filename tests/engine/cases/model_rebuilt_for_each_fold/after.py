import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
folds = [[(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(2)] for _ in range(2)]


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train_one_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, loss_fn):
        super().__init__()
        self.model = model
        self.loss_fn = loss_fn

    def forward(self, x, y):
        return self.loss_fn(self.model(x), y)


def train_one_epoch(model, loader, optimizer):
    loss_fn = nn.MSELoss()
    model_with_loss = ort_module(ModuleWithLoss, model, loss_fn)
    for x, y in loader:
        loss = model_with_loss(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


for fold, loader in enumerate(folds):
    # a new model for each fold
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for epoch in range(2):
        print(fold, epoch, f"{train_one_epoch(model, loader, optimizer):.5f}")
