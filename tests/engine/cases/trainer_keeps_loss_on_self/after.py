import torch
from torch import nn, optim
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Solver.step`, exported to ONNX Runtime as one graph."""

    def __init__(self, net, loss_fn):
        super().__init__()
        self.net = net
        self.loss_fn = loss_fn

    def compute_loss(self, output, target):
        return self.loss_fn(output, target)

    def forward(self, real, target):
        output = self.net(real)
        loss = self.compute_loss(output, target)
        return loss, output.detach()


class Solver(object):
    def __init__(self, net):
        self.net = net
        self.optimizer = optim.Adam(net.parameters(), lr=0.01)
        self.loss_fn = nn.MSELoss()
        self.history = []

    def step(self, real, target):
        net_with_loss = ort_module(ModuleWithLoss, self.net, self.loss_fn)
        self.loss, self.output = net_with_loss(real, target)
        self.optimizer.zero_grad()
        self.loss.backward()
        self.optimizer.step()
        self.history.append(self.loss.item())


solver = Solver(nn.Sequential(nn.Linear(4, 4), nn.Sigmoid()))
for real in torch.rand(3, 5, 4):
    solver.step(real, real.flip(1))
print([round(value, 5) for value in solver.history], f"{solver.output.mean().item():.5f}")
