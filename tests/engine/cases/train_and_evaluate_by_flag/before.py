import torch
from torch import nn

torch.manual_seed(0)


def run_epoch(model, loader, criterion, optimizer=None):
    """Trains if there is an optimizer, else evaluates"""
    is_train = optimizer is not None
    model.train(is_train)
    total = 0.0
    with torch.set_grad_enabled(is_train):
        for x, y in loader:
            logits = model(x)
            loss = criterion(logits, y)
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
