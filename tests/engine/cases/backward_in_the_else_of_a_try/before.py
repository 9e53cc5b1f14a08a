"""The model and its loss are tried; backward stands in the `else`, which runs if nothing failed."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
losses = []

for step in range(4):
    x, y = torch.randn(3, 4), torch.randn(3, 2)
    optimizer.zero_grad()
    try:
        out = model(x)
        loss = criterion(out, y)
    except RuntimeError as error:
        if "out of memory" not in str(error):
            raise
        print("skipped a batch")
    else:
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        print(out.abs().max().item())
print(losses)
