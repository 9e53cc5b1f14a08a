"""Names are deleted to save memory: inside of the loss, after both loops, and of an evaluation."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `measure`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, logits, y):
        return self.criterion(logits, y)

    def forward(self, x, y):
        logits = self.model(x)
        return self.compute_loss(logits, y)


class ModelWithLoss2(nn.Module):
    """Forward pass and loss of `measure`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, smoothing, logits, weight, y, value):
        if smoothing:
            gold = torch.full_like(logits, weight).scatter(1, y.view(-1, 1), value)
            log_prob = torch.log_softmax(logits, dim=1)
            loss = -(gold * log_prob).sum(dim=1).mean()
            del gold, log_prob  # saves some memory
        else:
            loss = self.criterion(logits, y)
        return loss

    def forward(self, x, smoothing, weight, y, value):
        logits = self.model(x)
        return self.compute_loss(smoothing, logits, weight, y, value)


def measure(steps, smoothing):
    model_with_loss = ort_module(ModelWithLoss, model, criterion)
    model_with_loss2 = ort_module(ModelWithLoss2, model, criterion)
    x, y = torch.randn(5, 6), torch.randint(0, 3, (5,))
    model.eval()
    with torch.no_grad():
        logits = model(x)
        print('%.5f' % logits.mean().item())
        del logits

    model.train()
    for _ in range(2):
        optimizer.zero_grad()
        loss = model_with_loss(x, y)
        loss.backward()
        optimizer.step()

    for _ in range(steps):
        optimizer.zero_grad()
        loss = model_with_loss2(
            x,
            smoothing,
            smoothing / 2 if smoothing else None,
            y,
            1 - smoothing if smoothing else None,
        )
        loss.backward()
        optimizer.step()
        print('%.5f' % loss.item())

    del x, y, loss
    model.eval()


measure(4, smoothing=0.2)
