"""Each round trains another model of a list, with or without autocast."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `fit`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, y):
        return F.cross_entropy(self.model(x), y)


def fit(models, batches, use_amp=False):
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.1) for model in models]
    for batch in batches:
        for index in range(len(models)):
            model = models[index]
            optimizer = optimizers[index]
            x, y = batch
            model_with_loss = ort_module(ModuleWithLoss, model)
            # mixed precision is a matter of the machine
            if use_amp:
                with torch.autocast("cpu"):
                    loss = model_with_loss(x, y)
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
            else:
                loss = model_with_loss(x, y)
                loss.backward()
                optimizer.step()
            optimizer.zero_grad()
            print(f"{loss.item():.5f}")


torch.manual_seed(0)
models = [nn.Linear(4, 3), nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))]
fit(models, [(torch.randn(5, 4), torch.randint(3, (5,))) for _ in range(4)])
