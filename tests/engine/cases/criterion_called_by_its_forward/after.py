"""A loss that is run by its `forward`: the wrapper holds it; lengths go in as two kinds of numbers."""
import torch
from torch import nn
from ortwrap.runtime import ort_module


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


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `fit_one_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, box_loss):
        super().__init__()
        self.model = model
        self.box_loss = box_loss

    def compute_loss(self, targets, out, lengths):
        return (self.box_loss.forward(targets, out) / lengths).mean()

    def forward(self, images, lengths, targets):
        out = self.model(images, lengths.float())
        return self.compute_loss(targets, out, lengths)


def fit_one_epoch(model, box_loss, optimizer, batches):
    model_with_loss = ort_module(ModuleWithLoss, model, box_loss)
    for batch in batches:
        lengths = batch["lengths"]
        optimizer.zero_grad()
        loss = model_with_loss(batch["images"], lengths, batch.get("targets"))
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
