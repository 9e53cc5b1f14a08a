import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, x, y):
        return self.criterion(self.model(x), y)


torch.manual_seed(0)
policy = nn.Linear(4, 2)
model = nn.Sequential(policy, nn.Tanh())
criterion = nn.SmoothL1Loss()
opt = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for x, y in [(torch.randn(5, 4), torch.randn(5, 2)) for _ in range(4)]:
    opt.zero_grad()
    model_with_loss(x, y).backward()  # one line is enough
    opt.step()

print(f"{model(torch.ones(1, 4)).sum().item():.5f}")
