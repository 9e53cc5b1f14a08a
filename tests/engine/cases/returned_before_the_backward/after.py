"""What a function returns without a backward keeps its gradient: its caller goes back through it."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)

model = nn.Linear(6, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `step`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, outputs, targets):
        return F.cross_entropy(outputs, targets) \
            + 0.01 * outputs.pow(2).mean()

    def forward(self, inputs, targets):
        outputs = self.model(inputs)
        loss = self.compute_loss(outputs, targets)
        return loss, outputs


def step(inputs, targets, update=True):
    model_with_loss = ort_module(ModuleWithLoss, model)
    loss, outputs = model_with_loss(inputs, targets)
    if not update:
        return loss, outputs
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item(), (outputs.argmax(dim=1) == targets).float().mean().item()


for index in range(3):
    inputs, targets = torch.randn(8, 6), torch.randint(3, (8,))
    print(step(inputs, targets))
    loss, outputs = step(inputs, targets, update=False)
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(loss + outputs.abs().mean(), parameters)
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = gradient
    optimizer.step()
