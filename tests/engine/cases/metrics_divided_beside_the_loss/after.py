"""A report read off the scores, whose numbers share the branch that divides the loss."""
import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, x, labels):
        scores = self.linear(x)
        return scores, self.criterion(scores, labels)


def report(labels, predicted):
    right = sum(one == other for one, other in zip(labels, predicted))
    return {"right": right, "share": right / len(labels)}


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, y):
        scores, loss = self.model(x, y)
        return loss, scores.detach()


model = Classifier()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model_with_loss = ort_module(ModuleWithLoss, model)
for accumulation_steps in (1, 2):
    total, share = 0, 0
    for step in range(4):
        x, y = torch.randn(6, 4), torch.randint(0, 3, (6,))
        loss, scores = model_with_loss(x, y)
        best = scores.max(dim=1)[1]
        told = report(y.tolist(), best.tolist())
        batch_share = told["share"]
        if accumulation_steps > 1:
            batch_share /= accumulation_steps
            loss /= accumulation_steps
        loss.backward()
        total += loss.item()
        share += batch_share
        if (step + 1) % accumulation_steps == 0:
            optimizer.step()
            optimizer.zero_grad()
    print("%.5f %.5f" % (total, share))
