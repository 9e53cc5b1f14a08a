"""Trap: a property moves a schedule on, and the settings of the trainer go by another name as well.

Both stand between the model and the loss that reads them: the call stays behind them.
"""

import torch
from torch import nn

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


def train(steps):
    for step in range(steps):
        inputs, targets = torch.randn(8, 6), torch.randint(3, (8,))
        output = model(inputs)
        print(f"temperature {temperature.current}")
        SETTINGS["smoothness"] = 1.0 / (1 + step)
        loss = criterion(output / temperature.value, targets)
        loss = loss + current_settings["smoothness"] * output.pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item())


train(5)
