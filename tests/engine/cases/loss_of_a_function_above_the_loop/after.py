import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(5, 8)
        self.near, self.far = nn.Linear(8, 2), nn.Linear(8, 2)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.near(h), self.far(h)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `fit`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, near, far, target, mask, smooth):
        def error(prediction):
            distance = (prediction - target).abs()
            return torch.where(mask, distance, distance * smooth).mean()

        return error(near) + 0.5 * error(far) + F.mse_loss(near, far)

    def forward(self, x, target, mask, smooth):
        near, far = self.model(x)
        return self.compute_loss(near, far, target, mask, smooth)


def fit(model, batches, epochs):
    model_with_loss = ort_module(ModuleWithLoss, model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    smooth = 0.1

    for epoch in range(epochs):
        for x, target, mask in batches:
            loss = model_with_loss(x, target, mask, smooth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}: {loss.item():.4f}")


torch.manual_seed(0)
batches = [(torch.randn(6, 5), torch.randn(6, 2), torch.rand(6, 2) > 0.3) for _ in range(3)]
fit(Heads(), batches, 2)
