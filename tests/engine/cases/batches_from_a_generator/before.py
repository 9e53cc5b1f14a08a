"""Trap: `data_gen` is called like a generator network, but what it generates are batches."""

import torch
from torch import nn

torch.manual_seed(0)


def inf_generator(iterable):
    iterator = iterable.__iter__()
    while True:
        try:
            yield iterator.__next__()
        except StopIteration:
            iterator = iterable.__iter__()


model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
data_gen = inf_generator([(torch.randn(6, 4), torch.randint(3, (6,))) for _ in range(2)])
for itr in range(5):
    optimizer.zero_grad()
    x, y = data_gen.__next__()
    logits = model(x)
    loss = criterion(logits, y)
    loss.backward()
    optimizer.step()
    print(loss.item())
