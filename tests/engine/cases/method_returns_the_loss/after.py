import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Recommender(nn.Module):
    def __init__(self):
        super().__init__()
        self.user, self.item = nn.Embedding(7, 4), nn.Embedding(9, 4)

    def forward(self, u, i):
        return (self.user(u) * self.item(i)).sum(-1)

    def loss(self, u, pos, neg):
        return nn.functional.softplus(self(u, neg) - self(u, pos)).mean()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, u, pos, neg):
        return self.model.loss(u, pos, neg)


model = Recommender()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)

model_with_loss = ort_module(ModuleWithLoss, model)
for _ in range(3):
    u, pos, neg = torch.randint(0, 7, (6,)), torch.randint(0, 9, (6,)), torch.randint(0, 9, (6,))
    loss = model_with_loss(u, pos, neg)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
