"""Model and criterion are made in a file of settings, which the script takes everything from."""

import settings
import torch
from settings import *
from ortwrap.runtime import ort_module


class ModuleWithLoss(torch.nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, classify, measure):
        super().__init__()
        self.classify = classify
        self.measure = measure

    def forward(self, x, y):
        return self.measure(self.classify(x), y)


def train(batches):
    for x, y in batches:
        optimizer.zero_grad()
        classify_with_loss = ort_module(ModuleWithLoss, classify, settings.measure)
        loss = classify_with_loss(x, y)
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


train([(torch.randn(8, 6), torch.randint(3, (8,))) for _ in range(STEPS)])
