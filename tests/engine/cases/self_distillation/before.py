"""Trap: `.detach()`, `.data` and `no_grad` on the way to the loss stop the gradient where they stand."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
teacher = nn.Linear(6, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(5):
    x = torch.randn(4, 6)
    logits = model(x)
    with torch.no_grad():
        soft = F.softmax(teacher(x) + logits, dim=1)
    confidence = F.softmax(logits.data, dim=1).max(1)[0]
    target = F.one_hot(logits.detach().argmax(1), 3).float()
    loss = F.mse_loss(logits, target) + F.kl_div(
        F.log_softmax(logits, 1), soft, reduction="batchmean"
    )
    loss = loss + (confidence * logits.pow(2).mean(1)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
