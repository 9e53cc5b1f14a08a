import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class CenterLoss(nn.Module):
    """Pulls features to the centre of their class; the centres are trained too."""

    def __init__(self, classes, width):
        super().__init__()
        self.centers = nn.Parameter(torch.randn(classes, width))

    def forward(self, features, labels):
        return (features - self.centers[labels]).pow(2).sum(1).mean()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, center_loss):
        super().__init__()
        self.model = model
        self.center_loss = center_loss

    def forward(self, x, y):
        features = self.model(x)
        return self.center_loss(features, y)


model = nn.Linear(5, 3)
center_loss = CenterLoss(4, 3)
optimizer = torch.optim.SGD(list(model.parameters()) + list(center_loss.parameters()), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, center_loss)
for x, y in [(torch.randn(6, 5), torch.randint(0, 4, (6,))) for _ in range(3)]:
    loss = model_with_loss(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")

print(len(model.state_dict()), len(center_loss.state_dict()))
