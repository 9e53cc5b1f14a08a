"""Idiom: one criterion for each head, in a dict that a comprehension goes over."""

import torch
from torch import nn

torch.manual_seed(0)


class MultiTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(10, 16), nn.ReLU())
        self.heads = nn.ModuleDict({"label": nn.Linear(16, 4), "score": nn.Linear(16, 1)})

    def forward(self, x):
        shared = self.shared(x)
        return {name: head(shared) for name, head in self.heads.items()}


model = MultiTask()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criteria = {"label": nn.CrossEntropyLoss(), "score": nn.MSELoss()}
weights = {"label": 1.0, "score": 0.5}
for _ in range(5):
    x = torch.randn(8, 10)
    targets = {"label": torch.randint(4, (8,)), "score": torch.randn(8, 1)}
    outputs = model(x)
    losses = {name: loss_fn(outputs[name], targets[name]) for name, loss_fn in criteria.items()}
    loss = sum(weights[name] * value for name, value in losses.items())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), {name: value.item() for name, value in losses.items()})
