import torch
from torch import nn

torch.manual_seed(0)


def build_loss(name, **options):
    losses = {"l1": nn.L1Loss, "mse": nn.MSELoss, "huber": nn.SmoothL1Loss}
    return losses[name](**options)


def train(config):
    model = nn.Linear(3, 2)
    criterion = build_loss(config["loss"], reduction="mean")
    optimizer = torch.optim.SGD(model.parameters(), lr=config["lr"])
    for x, y in config["data"]:
        y_hat = model(x)
        loss = criterion(y_hat, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


train({"loss": "mse", "lr": 0.1, "data": [(torch.randn(4, 3), torch.randn(4, 2)) for _ in range(3)]})
