"""Only some instances have criteria: whoever has the one that every step reads has all of them."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Translation.optimize`, exported to ONNX Runtime as one graph."""

    def __init__(self, net, criterion, criterion_identity):
        super().__init__()
        self.net = net
        self.criterion = criterion
        self.criterion_identity = criterion_identity

    def forward(self, x, y, weight):
        loss = self.criterion(self.net(x), y)
        if weight > 0:
            loss = loss + weight * self.criterion_identity(self.net(y), y)
        return loss


class Translation:
    def __init__(self, is_train, weight):
        self.is_train = is_train
        self.weight = weight
        self.net = nn.Linear(4, 4)
        if self.is_train:
            self.criterion = nn.MSELoss()
            self.criterion_identity = nn.L1Loss()
            self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def optimize(self, x, y):
        net_with_loss = ort_module(
            ModuleWithLoss, self.net, self.criterion, self.criterion_identity
        )
        loss = net_with_loss(x, y, self.weight)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


for weight in (0.0, 0.5):
    model = Translation(True, weight)
    for _ in range(3):
        print(f"{model.optimize(torch.randn(3, 4), torch.randn(3, 4)):.5f}")
print(Translation(False, 0.5).net(torch.ones(4)).sum().item())
