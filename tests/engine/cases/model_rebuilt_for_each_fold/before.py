import torch
from torch import nn

torch.manual_seed(0)
folds = [[(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(2)] for _ in range(2)]


def train_one_epoch(model, loader, optimizer):
    loss_fn = nn.MSELoss()
    for x, y in loader:
        loss = loss_fn(model(x), y)
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
