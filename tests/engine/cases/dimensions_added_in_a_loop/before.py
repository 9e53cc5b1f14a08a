"""A loop that only gives weights as many dimensions as the output: ranks make another graph."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Conv1d(2, 2, 3, padding=1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
alphas = torch.linspace(0.9, 0.1, 10)

for step in range(3):
    video, timesteps = torch.randn(4, 2, 5), torch.randint(10, (4,))
    weights = 1 / (1 - alphas[timesteps])
    pred = model(video)
    while len(weights.shape) < len(pred.shape):
        weights = weights.unsqueeze(-1)
    loss = (weights * (pred - video) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
