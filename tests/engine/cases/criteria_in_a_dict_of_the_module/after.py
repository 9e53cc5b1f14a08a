import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Regressor.learn`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, class_, extra_0, size):
        super().__init__()
        self.model = model
        self.class_ = class_
        self.extra_0 = extra_0
        self.size = size

    def compute_loss(self, out, y, hidden):
        loss = self.class_(out, y) + self.extra_0(out, y)
        return loss + 0.1 * self.size(hidden, torch.zeros_like(hidden))

    def forward(self, x, y):
        out, hidden = self.model(x)
        return self.compute_loss(out, y, hidden)


class Regressor(nn.Module):
    """Trains itself; its criteria are in a plain dict and a plain list."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 5)
        self.head = nn.Linear(5, 3)
        self.criteria = {"class": nn.CrossEntropyLoss(), "size": nn.MSELoss()}
        self.extra = [nn.CrossEntropyLoss(label_smoothing=0.1)]

    def forward(self, x):
        hidden = torch.relu(self.body(x))
        return self.head(hidden), hidden

    def learn(self, batches):
        model_with_loss = ort_module(
            ModuleWithLoss,
            self,
            self.criteria["class"],
            self.extra[0],
            self.criteria["size"],
        )
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        for x, y in batches:
            loss = model_with_loss(x, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            print(f"{loss.item():.5f}")


Regressor().learn([(torch.randn(4, 6), torch.randint(0, 3, (4,))) for _ in range(4)])
