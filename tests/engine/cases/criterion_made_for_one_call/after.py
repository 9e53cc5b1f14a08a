"""A LeNet-300-100 whose losses are made where they are called; no label is left out."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class LeNet300(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 8)
        self.head = nn.Linear(8, 3)
        self.back = nn.Linear(8, 6)

    def forward(self, x):
        hidden = torch.relu(self.body(x))
        return self.head(hidden), self.back(hidden)


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.cross_entropy = nn.CrossEntropyLoss(label_smoothing=0.1)
        self.smooth_l1_loss = nn.SmoothL1Loss()
        self.smooth_l1_loss_ = nn.SmoothL1Loss(reduction="sum")

    def compute_loss(self, logits, y, picture, x):
        loss = self.cross_entropy(logits, y)
        return loss + self.smooth_l1_loss(picture, x) + self.smooth_l1_loss_(picture, x)

    def forward(self, x, y):
        logits, picture = self.model(x)
        return self.compute_loss(logits, y, picture, x)


def train(model, batches):
    model_with_loss = ort_module(ModelWithLoss, model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x, y in batches:
        optimizer.zero_grad()
        loss = model_with_loss(x, y)
        loss.backward()
        optimizer.step()


class FinetuneWithLoss(nn.Module):
    """Forward pass and loss of `finetune`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, logits, y):
        return F.cross_entropy(logits, y)

    def forward(self, x, y):
        logits, _ = self.model(x)
        return self.compute_loss(logits, y)


def finetune(model, batches):
    model_with_loss = ort_module(FinetuneWithLoss, model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for x, y in batches:
        optimizer.zero_grad()
        loss = model_with_loss(x, y)
        loss.backward()
        optimizer.step()


model = LeNet300()
batches = [(torch.randn(4, 6), torch.randint(0, 3, (4,))) for _ in range(4)]
train(model, batches)
finetune(model, batches)
