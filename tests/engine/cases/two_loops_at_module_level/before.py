import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
encoder = nn.Linear(6, 8)
head = nn.Linear(8, 2)
optimizer = torch.optim.SGD([*encoder.parameters(), *head.parameters()], lr=1e-1)

# Pretraining
for images in torch.randn(3, 5, 6):
    one, two = encoder(images).chunk(2, dim=1)
    loss = F.mse_loss(one, two)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")

# Fine-tuning
for images in torch.randn(3, 5, 6):
    logits = head(encoder(images))
    loss = F.cross_entropy(logits, (images.sum(1) > 0).long())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
