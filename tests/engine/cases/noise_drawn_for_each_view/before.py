import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
encoder = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))
optimizer = torch.optim.SGD(encoder.parameters(), lr=1e-1)

# Two views of a batch: the same expression twice, and two draws.
for images in torch.randn(3, 5, 6):
    z = encoder(torch.cat([images + 0.1 * torch.randn_like(images), images + 0.1 * torch.randn_like(images)]))
    loss = 1 - F.cosine_similarity(*z.chunk(2)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
