"""The discriminator is frozen between the generator's run and its loss, and thawed after it."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


def set_requires_grad(nets, requires_grad=False):
    """Switch the gradients of networks, to avoid needless computation."""
    if not isinstance(nets, list):
        nets = [nets]
    for net in nets:
        if net is not None:
            for param in net.parameters():
                param.requires_grad = requires_grad


class GWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, G, D, criterion):
        super().__init__()
        self.G = G
        self.D = D
        self.criterion = criterion

    def forward(self, z):
        fake = self.G(z)
        loss_g = self.criterion(self.D(fake), torch.ones(5, 1))
        return loss_g, fake.detach()


class DWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, D, criterion):
        super().__init__()
        self.D = D
        self.criterion = criterion

    def compute_loss(self, scores):
        return self.criterion(scores, torch.cat([torch.ones(5, 1), torch.zeros(5, 1)]))

    def forward(self, real, fake):
        scores = torch.cat([self.D(real), self.D(fake)])
        return self.compute_loss(scores)


G = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6))
D = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer_g = torch.optim.SGD(G.parameters(), lr=0.1)
optimizer_d = torch.optim.SGD(D.parameters(), lr=0.1)

G_with_loss = ort_module(GWithLoss, G, D, criterion)
D_with_loss = ort_module(DWithLoss, D, criterion)
for step in range(4):
    z, real = torch.randn(5, 4), torch.randn(5, 6)

    set_requires_grad([D], False)
    optimizer_g.zero_grad()
    loss_g, fake = G_with_loss(z)
    loss_g.backward()
    optimizer_g.step()

    set_requires_grad(D, True)
    optimizer_d.zero_grad()
    loss_d = D_with_loss(real, fake.detach())
    loss_d.backward()
    optimizer_d.step()
    print(loss_g.item(), loss_d.item())
