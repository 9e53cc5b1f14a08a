"""Trap: the model runs once or twice, and its running statistics depend on how often."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(6):
    x, y = torch.randn(8, 6), torch.randint(3, (8,))
    consistent = step % 2 == 1
    logits = model(x)
    loss = F.cross_entropy(logits, y)
    if consistent:
        loss = loss + F.mse_loss(model(x + 0.1), logits)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), model[1].running_mean.sum().item(), int(model[1].num_batches_tracked))
