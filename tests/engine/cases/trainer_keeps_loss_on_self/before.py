import torch
from torch import nn, optim

torch.manual_seed(0)


class Solver(object):
    def __init__(self, net):
        self.net = net
        self.optimizer = optim.Adam(net.parameters(), lr=0.01)
        self.loss_fn = nn.MSELoss()
        self.history = []

    def step(self, real, target):
        self.output = self.net(real)
        self.loss = self.loss_fn(self.output, target)
        self.optimizer.zero_grad()
        self.loss.backward()
        self.optimizer.step()
        self.history.append(self.loss.item())


solver = Solver(nn.Sequential(nn.Linear(4, 4), nn.Sigmoid()))
for real in torch.rand(3, 5, 4):
    solver.step(real, real.flip(1))
print([round(value, 5) for value in solver.history], f"{solver.output.mean().item():.5f}")
