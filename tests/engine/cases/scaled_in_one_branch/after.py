import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)
model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


class Accelerator:
    gradient_accumulation_steps = 2

    def backward(self, loss):
        loss = loss / self.gradient_accumulation_steps
        loss.backward()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `step_model`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, output, target):
        return F.mse_loss(output, target.to(output.device))

    def forward(self, input, target):
        output = self.model(input)
        return self.compute_loss(output, target)


def step_model(model, input, target, accelerator, do_backward=True):
    model_with_loss = ort_module(ModuleWithLoss, model)
    model.train()
    loss = model_with_loss(input, target)
    if not do_backward:
        loss /= accelerator.gradient_accumulation_steps
        loss.backward()
    else:
        accelerator.backward(loss)


accelerator = Accelerator()
for i in range(4):
    step_model(model, torch.randn(3, 4), torch.randn(3, 2), accelerator, do_backward=i % 2 == 0)
    if i % 2:
        optimizer.step()
        optimizer.zero_grad()
