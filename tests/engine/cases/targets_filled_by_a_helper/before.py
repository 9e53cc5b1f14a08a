"""Idiom: sharpness-aware minimisation takes the loss twice; its helper fills a tensor of its own."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


def smooth_crossentropy(pred, gold, smoothing=0.1):
    n_class = pred.size(1)
    one_hot = torch.full_like(pred, fill_value=smoothing / (n_class - 1))
    one_hot.scatter_(dim=1, index=gold.unsqueeze(1), value=1.0 - smoothing)
    return F.kl_div(F.log_softmax(pred, dim=1), one_hot, reduction="none").sum(-1)


model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    inputs, targets = torch.randn(8, 6), torch.randint(3, (8,))

    predictions = model(inputs)
    loss = smooth_crossentropy(predictions, targets)
    loss.mean().backward()
    with torch.no_grad():
        moved = [p.grad * 0.05 for p in model.parameters()]
        for p, move in zip(model.parameters(), moved):
            p.add_(move)
    optimizer.zero_grad()

    smooth_crossentropy(model(inputs), targets).mean().backward()
    with torch.no_grad():
        for p, move in zip(model.parameters(), moved):
            p.sub_(move)
    optimizer.step()
    optimizer.zero_grad()
    print(loss.mean().item(), (predictions.argmax(1) == targets).float().mean().item())
