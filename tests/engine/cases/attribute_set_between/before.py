"""What the step has seen is kept with `setattr` between the model and its loss."""

import torch
from torch import nn

torch.manual_seed(0)


class State:
    """What a progress bar shows."""


state = State()
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(4):
    x, y = torch.randn(3, 4), torch.randn(3, 2)
    optimizer.zero_grad()
    out = model(x)
    for name, value in {"step": step, "size": len(x)}.items():
        setattr(state, name, value)
    loss = criterion(out, y)
    loss.backward()
    optimizer.step()
    print(loss.item(), vars(state))
