from __future__ import annotations

import torch
from torch import Tensor, nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `fit`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, prediction, target):
        return nn.functional.mse_loss(prediction.squeeze(-1), target)

    def forward(self, features, target):
        prediction: Tensor = self.model(features)
        return self.compute_loss(prediction, target)


def fit(model: nn.Module, batches: list[tuple[Tensor, Tensor]], optimizer: torch.optim.Optimizer) -> list[float]:
    model_with_loss = ort_module(ModuleWithLoss, model)
    history: list[float] = []
    for features, target in batches:
        loss = model_with_loss(features, target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return history


if __name__ == "__main__":
    network = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 1))
    data = [(torch.randn(5, 3), torch.randn(5)) for _ in range(3)]
    print([round(value, 5) for value in fit(network, data, torch.optim.Adam(network.parameters()))])
