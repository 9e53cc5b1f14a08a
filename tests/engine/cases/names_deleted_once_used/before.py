"""Names are deleted to save memory: inside of the loss, after both loops, and of an evaluation."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()


def measure(steps, smoothing):
    x, y = torch.randn(5, 6), torch.randint(0, 3, (5,))
    model.eval()
    with torch.no_grad():
        logits = model(x)
        print('%.5f' % logits.mean().item())
        del logits

    model.train()
    for _ in range(2):
        optimizer.zero_grad()
        logits = model(x)
        loss = criterion(logits, y)
        loss.backward()
        optimizer.step()

    for _ in range(steps):
        optimizer.zero_grad()
        logits = model(x)
        if smoothing:
            gold = torch.full_like(logits, smoothing / 2).scatter(1, y.view(-1, 1), 1 - smoothing)
            log_prob = torch.log_softmax(logits, dim=1)
            loss = -(gold * log_prob).sum(dim=1).mean()
            del gold, log_prob  # saves some memory
        else:
            loss = criterion(logits, y)
        loss.backward()
        optimizer.step()
        print('%.5f' % loss.item())

    del x, y, logits, loss
    model.eval()


measure(4, smoothing=0.2)
