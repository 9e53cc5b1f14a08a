"""An object that is asked to `.eval(model, batches)` is none that trains: it prepares batches."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Experiment:
    def __init__(self):
        self.size = 4

    def get_model(self):
        return nn.Linear(4, 2)

    def preprocess(self, x, y, scale):
        return x * scale, y

    def eval(self, model, batches):
        with torch.no_grad():
            return sum(model(x).sum().item() for x, _ in batches)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Trainer.train_one`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, y):
        return (self.model(x) - y).pow(2).mean()


class Trainer:
    def __init__(self, exp, batches):
        self.exp = exp
        self.batches = batches

    def before_train(self):
        model = self.exp.get_model()
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        self.model = model

    def train_one(self, x, y, scale):
        model_with_loss = ort_module(ModuleWithLoss, self.model)
        y.requires_grad = False
        x, y = self.exp.preprocess(x, y, scale)
        loss = model_with_loss(x, y)

        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        print(f"{loss.item():.5f}")

    def train(self):
        self.before_train()
        for step, (x, y) in enumerate(self.batches):
            self.train_one(x, y, 1.0 + step)
        print(f"{self.exp.eval(self.model, self.batches):.5f}")


if __name__ == "__main__":
    Trainer(Experiment(), [(torch.randn(3, 4), torch.randn(3, 2)) for _ in range(3)]).train()
