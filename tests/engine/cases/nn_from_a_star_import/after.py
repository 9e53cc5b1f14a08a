"""`torch`, `nn` and `F` come with everything of another file, and `nn` is a count elsewhere."""
from star_imports import *
from ortwrap.runtime import ort_module
from torch import nn as torch_nn

torch.manual_seed(0)


def count_parameters(net):
    total = 0
    for parameter in net.parameters():
        nn = 1
        for size in parameter.shape:
            nn = nn * size
        total += nn
    return total


class ModuleWithLoss(torch_nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, logits, y):
        return F.cross_entropy(logits, y)

    def forward(self, x, y):
        logits = self.model(x)
        return self.compute_loss(logits, y)


model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
device = torch.device("cpu")
print(count_parameters(model))
model.train()
model_with_loss = ort_module(ModuleWithLoss, model)
for _ in range(3):
    x, y = torch.randn(5, 4), torch.randint(0, 3, (5,))
    loss = model_with_loss(x.to(device), y.to(device))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
