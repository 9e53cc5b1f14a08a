"""An ensemble: each model has an optimizer and a loss of its own."""
import torch
from torch import nn

torch.manual_seed(0)
members = [nn.Sequential(nn.Linear(4, n), nn.ReLU(), nn.Linear(n, 2)) for n in (3, 5)]
optimizers = [torch.optim.SGD(member.parameters(), lr=0.1) for member in members]
criterion = nn.CrossEntropyLoss()

for x, y in [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(4)]:
    for i, (member, optimizer) in enumerate(zip(members, optimizers)):
        optimizer.zero_grad()
        loss = criterion(member(x), y)
        loss.backward()
        optimizer.step()
        print(i, f"{loss.item():.5f}")

print([f"{member(torch.ones(1, 4)).sum().item():.5f}" for member in members])
