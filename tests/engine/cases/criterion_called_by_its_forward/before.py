"""A loss that is run by its `forward`: the wrapper holds it; lengths go in as two kinds of numbers."""
import torch
from torch import nn


class Boxes:
    def __init__(self, weight):
        self.weight = weight

    def forward(self, targets, out):
        return (out - targets).abs().mean(dim=1) * self.weight


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, x, scale):
        return self.layer(x) * scale[:, None]


def fit_one_epoch(model, box_loss, optimizer, batches):
    for batch in batches:
        lengths = batch["lengths"]
        optimizer.zero_grad()
        out = model(batch["images"], lengths.float())
        loss = (box_loss.forward(batch.get("targets"), out) / lengths).mean()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    batches = [
        {"images": torch.randn(6, 4), "targets": torch.randn(6, 2), "lengths": torch.arange(1, 7)}
        for _ in range(3)
    ]
    net = Net()
    fit_one_epoch(net, Boxes(0.5), torch.optim.SGD(net.parameters(), lr=0.1), batches)
