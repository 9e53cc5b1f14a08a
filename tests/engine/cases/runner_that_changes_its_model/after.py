"""The model belongs to an object that was handed in, and a method of that replaces it."""

import torch
from runners import Runner
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(torch.nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, scores, y):
        return self.criterion(scores, y)

    def forward(self, x, y):
        scores = self.model(x)
        loss = self.compute_loss(scores, y)
        return loss, scores.detach()


def train(runner, batches):
    runner.model.train()
    for index, (x, y) in enumerate(batches):
        runner.optimizer.zero_grad()
        model_with_loss = ort_module(ModuleWithLoss, runner.model, runner.criterion)
        loss, scores = model_with_loss(x, y)
        loss.backward()
        runner.optimizer.step()
        runner.correct += (scores.argmax(1) == y).sum().item()
        print(f"{loss.item():.5f}", runner.correct)
        runner.end_round(index)


train(Runner(), [(torch.randn(8, 6), torch.randint(3, (8,))) for _ in range(6)])
