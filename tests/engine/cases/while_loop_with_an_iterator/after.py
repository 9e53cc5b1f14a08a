import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, mse):
        super().__init__()
        self.model = model
        self.mse = mse

    def forward(self, x, y):
        return self.mse(self.model(x), y)


torch.manual_seed(0)
loader = [(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(2)]
model = nn.Linear(3, 1)
mse = nn.MSELoss()
optim = torch.optim.SGD(model.parameters(), lr=0.1)

iteration, batches = 0, iter(loader)
model_with_loss = ort_module(ModuleWithLoss, model, mse)
while iteration < 4:
    try:
        x, y = next(batches)
    except StopIteration:
        batches = iter(loader)
        x, y = next(batches)
    optim.zero_grad()
    loss = model_with_loss(x, y)
    loss.backward()
    optim.step()
    iteration += 1
    print(iteration, f"{loss.item():.5f}")
