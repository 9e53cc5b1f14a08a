"""Trap: a property moves a schedule on, and the settings of the trainer go by another name as well.

Both stand between the model and the loss that reads them: the call stays behind them.
"""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Temperature:
    def __init__(self):
        self.value = 4.0

    @property
    def current(self):
        self.value = max(1.0, self.value - 0.5)
        return self.value


SETTINGS = {"smoothness": 1.0}
current_settings = SETTINGS
temperature = Temperature()
model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, output, value, targets, smoothness):
        loss = self.criterion(output / value, targets)
        return loss + smoothness * output.pow(2).mean()

    def forward(self, inputs, value, targets, smoothness):
        output = self.model(inputs)
        return self.compute_loss(output, value, targets, smoothness)


def train(steps):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    for step in range(steps):
        inputs, targets = torch.randn(8, 6), torch.randint(3, (8,))
        print(f"temperature {temperature.current}")
        SETTINGS["smoothness"] = 1.0 / (1 + step)
        loss = model_with_loss(
            inputs, temperature.value, targets, current_settings["smoothness"]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item())


train(5)
