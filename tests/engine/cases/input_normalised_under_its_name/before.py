"""Trap: `x` gets another value between the model call and the loss, which reads the new one."""

import torch
from torch import nn

torch.manual_seed(0)


def normalize(batch):
    mean = batch.new_tensor([0.5, 0.4, 0.3]).view(-1, 1, 1)
    return batch - mean


transformer = nn.Conv2d(3, 3, 3, padding=1)
vgg = nn.Conv2d(3, 8, 3).requires_grad_(False)
optimizer = torch.optim.Adam(transformer.parameters(), lr=0.01)
mse_loss = nn.MSELoss()

for step in range(4):
    x = torch.rand(2, 3, 8, 8)
    optimizer.zero_grad()
    y = transformer(x)

    y = normalize(y)
    x = normalize(x)

    features_y = vgg(y)
    features_x = vgg(x)

    loss = mse_loss(features_y, features_x)
    loss.backward()
    optimizer.step()
    print(loss.item())
