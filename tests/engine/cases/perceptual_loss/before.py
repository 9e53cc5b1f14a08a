"""Style transfer: the loss compares features of a frozen network."""
import torch
from torch import nn, optim

torch.manual_seed(0)
transformer = nn.Conv2d(3, 3, 3, padding=1)
vgg = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).requires_grad_(False)
optimizer = optim.Adam(transformer.parameters(), 1e-2)
mse_loss = nn.MSELoss()

for x in torch.rand(3, 2, 3, 6, 6):
    optimizer.zero_grad()
    y = transformer(x)

    features_y = vgg(y)
    features_x = vgg(x)

    content_loss = 1e1 * mse_loss(features_y, features_x)
    total_loss = content_loss
    total_loss.backward()
    optimizer.step()
    print(f"{content_loss.item():.5f}")
