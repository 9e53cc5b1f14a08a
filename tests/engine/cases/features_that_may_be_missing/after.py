"""Between model and loss the script checks that the model gave features at all, and labels fit."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU())
        self.head = nn.Linear(5, 3)

    def forward(self, x, return_features):
        features = self.body(x)
        return self.head(features), features if return_features else None


def check_labels(labels, *, classes):
    if labels.numel() == 0:
        return
    low = int(labels.min())
    high = int(labels.max())
    if low < 0 or high >= classes:
        raise ValueError(f"labels out of range: [{low}, {high}]")


def align(source, target, weight):
    return weight * (source.mean(0) - target.mean(0)).pow(2).sum()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x_s, x_t, y_s, weight):
        logits_s, features_s = self.model(x_s, return_features=True)
        _, features_t = self.model(x_t, return_features=True)
        if features_s is None or features_t is None:
            raise RuntimeError("the model gives no features")
        cls_loss = F.cross_entropy(logits_s, y_s)
        align_loss = align(features_s, features_t, weight)
        loss = cls_loss + align_loss
        return loss, cls_loss.detach()


def train(model, source, target, optimizer, weight):
    model_with_loss = ort_module(ModuleWithLoss, model)
    model.train()
    total = 0.0
    for (x_s, y_s), x_t in zip(source, target):
        check_labels(y_s, classes=3)
        optimizer.zero_grad()

        loss, cls_loss = model_with_loss(x_s, x_t, y_s, weight)
        loss.backward()
        optimizer.step()
        total += cls_loss.item()
    return total


torch.manual_seed(0)
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
source = [(torch.randn(size, 6), torch.randint(0, 3, (size,))) for size in (8, 8, 5, 8)]
target = [torch.randn(8, 6) for _ in source]
for epoch in range(2):
    print(f"{train(model, source, target, optimizer, 0.5):.4f}")
