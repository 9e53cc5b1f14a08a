"""An output that the object keeps, where the step may end before its backward."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Trainer.step`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, outputs, targets):
        return F.cross_entropy(outputs, targets)

    def forward(self, inputs, targets):
        outputs = self.model(inputs)
        loss = self.compute_loss(outputs, targets)
        return loss, outputs


class Trainer:
    def __init__(self):
        self.model = nn.Linear(6, 3)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.collect = False

    def step(self, inputs, targets):
        model_with_loss = ort_module(ModuleWithLoss, self.model)
        self.loss, self.outputs = model_with_loss(inputs, targets)
        if self.collect:
            return
        self.optimizer.zero_grad()
        self.loss.backward()
        self.optimizer.step()


trainer = Trainer()
for index in range(4):
    trainer.collect = index % 2 == 0
    trainer.step(torch.randn(8, 6), torch.randint(3, (8,)))
    if trainer.collect:
        (gradient,) = torch.autograd.grad(trainer.outputs.pow(2).mean(), [trainer.model.bias])
        print(gradient.sum().item())
