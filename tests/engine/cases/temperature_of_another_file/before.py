"""A temperature that another file keeps is set between model and loss: the call stands behind it."""

import settings
import torch
from tempered import tempered_loss
from torch import nn

torch.manual_seed(0)

model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(6):
    x, y = torch.randn(5, 6), torch.randint(0, 4, (5,))
    logits = model(x)
    settings.TEMPERATURE = 4.0 - min(step, 3)
    loss = tempered_loss(logits, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{settings.TEMPERATURE:.1f} {loss.item():.4f}")
