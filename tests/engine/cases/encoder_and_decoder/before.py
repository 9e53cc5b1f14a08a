import itertools

import torch
from torch import nn

torch.manual_seed(0)
encoder = nn.Sequential(nn.Linear(8, 4), nn.ReLU())
decoder = nn.Linear(4, 8)
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(itertools.chain(encoder.parameters(), decoder.parameters()), lr=0.01)

for epoch in range(2):
    for x in torch.rand(3, 5, 8):
        z = encoder(x)
        x_hat = decoder(z)
        loss = criterion(x_hat, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"{epoch} {loss.item():.5f} {z.norm().item():.4f}")
