"""An output that the object keeps, where the step may end before its backward."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Trainer:
    def __init__(self):
        self.model = nn.Linear(6, 3)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.collect = False

    def step(self, inputs, targets):
        self.outputs = self.model(inputs)
        self.loss = F.cross_entropy(self.outputs, targets)
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
