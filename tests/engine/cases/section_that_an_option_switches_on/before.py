"""A section of the configuration that is switched off holds nothing but the switch."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
config = SimpleNamespace(
    smoothing=SimpleNamespace(enabled=True, weight=0.1),
    penalty=SimpleNamespace(enabled=False),
)
model = nn.Linear(6, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(config, steps):
    for step in range(steps):
        x, y = torch.randn(8, 6), torch.randint(0, 3, (8,))
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        if config.smoothing.enabled:
            loss = loss - config.smoothing.weight * F.log_softmax(logits, 1).mean()
        if config.penalty.enabled:
            loss = loss + config.penalty.weight * logits.pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item())


train(config, 5)
