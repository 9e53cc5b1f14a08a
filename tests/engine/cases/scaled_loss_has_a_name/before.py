"""Parts of a batch, each weighed by its size; what the scaler gives has a name before its backward."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.SiLU(), nn.Linear(6, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=1)

for step in range(3):
    X, Y = torch.randn(7, 4), torch.randn(7, 1)
    optimizer.zero_grad()
    total = 0.0
    for x, y in zip(X.chunk(3), Y.chunk(3)):
        loss = nn.functional.mse_loss(model(x), y)
        weight = len(x) / len(X)
        scaled_loss = scaler.scale(loss * weight)
        scaled_loss.backward()
        total += loss.item() * weight
    scaler.step(optimizer)
    scaler.update()
    print(f"{total:.5f} {scaler.get_scale()}")
