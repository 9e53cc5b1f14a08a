"""Both branches go back through one mean, once as an argument and once between parentheses."""

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
        output = self.model(x)
        loss = self.criterion(output, y)
        total_loss = loss.sum() / loss.size(0)
        return total_loss, output.detach(), loss


torch.manual_seed(0)
model = nn.Linear(6, 3)
criterion = nn.CrossEntropyLoss(reduction="none")
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu", enabled=False)
use_amp = False

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for step in range(5):
    x, y = torch.randn(8, 6), torch.randint(0, 3, (8,))
    optimizer.zero_grad()
    total_loss, output, loss = model_with_loss(x, y)
    if use_amp:
        scaler.scale(total_loss).backward()
        scaler.step(optimizer)
        scaler.update()
    else:
        total_loss.backward()
        optimizer.step()
    print(loss.mean().item(), output.argmax(1).tolist())
