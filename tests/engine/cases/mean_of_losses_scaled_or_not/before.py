"""Both branches go back through one mean, once as an argument and once between parentheses."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(6, 3)
criterion = nn.CrossEntropyLoss(reduction="none")
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu", enabled=False)
use_amp = False

for step in range(5):
    x, y = torch.randn(8, 6), torch.randint(0, 3, (8,))
    optimizer.zero_grad()
    output = model(x)
    loss = criterion(output, y)
    if use_amp:
        scaler.scale(loss.sum() / loss.size(0)).backward()
        scaler.step(optimizer)
        scaler.update()
    else:
        (loss.sum() / loss.size(0)).backward()
        optimizer.step()
    print(loss.mean().item(), output.argmax(1).tolist())
