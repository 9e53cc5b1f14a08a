import torch
import torch.nn.functional as F
from torch import nn, optim
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ClassWeights:
    """Counts the labels of all batches so far."""

    def __init__(self, classes):
        self.counts = torch.ones(classes)

    def weight(self, y):
        self.counts += torch.bincount(y, minlength=len(self.counts))
        return 1.0 / self.counts[y]


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, out, y, weight_value):
        return (F.cross_entropy(out, y, reduction="none") * weight_value).mean()

    def forward(self, x, y, weight_value):
        out = self.model(x)
        return self.compute_loss(out, y, weight_value)


def train(model, optimizer, meter):
    model_with_loss = ort_module(ModuleWithLoss, model)
    for _ in range(4):
        x, y = torch.randn(5, 4), torch.randint(0, 3, (5,))
        optimizer.zero_grad()
        loss = model_with_loss(x, y, meter.weight(y))
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


net = nn.Linear(4, 3)
train(net, optim.SGD(net.parameters(), lr=0.1), ClassWeights(3))
