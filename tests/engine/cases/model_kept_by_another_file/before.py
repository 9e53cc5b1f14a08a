"""Model and criterion are made in a file of settings, which the script takes everything from."""

import settings
import torch
from settings import *


def train(batches):
    for x, y in batches:
        optimizer.zero_grad()
        loss = settings.measure(classify(x), y)
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


train([(torch.randn(8, 6), torch.randint(3, (8,))) for _ in range(STEPS)])
