"""A section of the configuration that is switched off holds nothing but the switch."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
config = SimpleNamespace(
    smoothing=SimpleNamespace(enabled=True, weight=0.1),
    penalty=SimpleNamespace(enabled=False),
)
model = nn.Linear(6, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, logits, y, enabled, weight, config_enabled, config_weight):
        loss = F.cross_entropy(logits, y)
        if enabled:
            loss = loss - weight * F.log_softmax(logits, 1).mean()
        if config_enabled:
            loss = loss + config_weight * logits.pow(2).mean()
        return loss

    def forward(self, x, y, enabled, weight, config_enabled, config_weight):
        logits = self.model(x)
        return self.compute_loss(
            logits, y, enabled, weight, config_enabled, config_weight
        )


def train(config, steps):
    model_with_loss = ort_module(ModuleWithLoss, model)
    for step in range(steps):
        x, y = torch.randn(8, 6), torch.randint(0, 3, (8,))
        loss = model_with_loss(
            x,
            y,
            config.smoothing.enabled,
            config.smoothing.weight if config.smoothing.enabled else None,
            config.penalty.enabled,
            config.penalty.weight if config.penalty.enabled else None,
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item())


train(config, 5)
