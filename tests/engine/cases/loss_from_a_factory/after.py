import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


def build_loss(name, **options):
    losses = {"l1": nn.L1Loss, "mse": nn.MSELoss, "huber": nn.SmoothL1Loss}
    return losses[name](**options)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, y_hat, y):
        return self.criterion(y_hat, y)

    def forward(self, x, y):
        y_hat = self.model(x)
        return self.compute_loss(y_hat, y)


def train(config):
    model = nn.Linear(3, 2)
    criterion = build_loss(config["loss"], reduction="mean")
    optimizer = torch.optim.SGD(model.parameters(), lr=config["lr"])
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    for x, y in config["data"]:
        loss = model_with_loss(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


train({"loss": "mse", "lr": 0.1, "data": [(torch.randn(4, 3), torch.randn(4, 2)) for _ in range(3)]})
