"""A batch whose forward fails is left out: the `try` holds model and loss, backward follows it."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(5):
    x, y = torch.randn(3, 4 if step != 2 else 3), torch.randn(3, 2)
    optimizer.zero_grad()
    try:
        out = model(x)
        loss = criterion(out, y)
    except RuntimeError:
        print("skipped a batch")
        continue
    loss.backward()
    optimizer.step()
    print(loss.item(), out.abs().max().item())
