from __future__ import annotations

import torch
from torch import Tensor, nn

torch.manual_seed(0)


def fit(model: nn.Module, batches: list[tuple[Tensor, Tensor]], optimizer: torch.optim.Optimizer) -> list[float]:
    history: list[float] = []
    for features, target in batches:
        prediction: Tensor = model(features)
        loss: Tensor = nn.functional.mse_loss(prediction.squeeze(-1), target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return history


if __name__ == "__main__":
    network = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 1))
    data = [(torch.randn(5, 3), torch.randn(5)) for _ in range(3)]
    print([round(value, 5) for value in fit(network, data, torch.optim.Adam(network.parameters()))])
