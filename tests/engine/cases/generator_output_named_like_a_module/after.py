import torch
from torch import nn
from ortwrap.runtime import ort_module


class GWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, G, D, bce):
        super().__init__()
        self.G = G
        self.D = D
        self.bce = bce

    def forward(self, z, valid):
        gen = self.G(z)
        g_loss = self.bce(self.D(gen), valid)
        return g_loss, gen.detach()


class DWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, D, bce):
        super().__init__()
        self.D = D
        self.bce = bce

    def forward(self, real, valid, gen, fake):
        return (self.bce(self.D(real), valid) + self.bce(self.D(gen), fake)) / 2


torch.manual_seed(0)
G = nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 6), nn.Tanh())
D = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Sigmoid())
bce = nn.BCELoss()
opt_G = torch.optim.Adam(G.parameters(), lr=0.01)
opt_D = torch.optim.Adam(D.parameters(), lr=0.01)

G_with_loss = ort_module(GWithLoss, G, D, bce)
D_with_loss = ort_module(DWithLoss, D, bce)

# `gen` is what G returned, whatever its name says.
for real in torch.randn(3, 5, 6):
    valid, fake = torch.ones(5, 1), torch.zeros(5, 1)
    z = torch.randn(5, 3)

    opt_G.zero_grad()
    g_loss, gen = G_with_loss(z, valid)
    g_loss.backward()
    opt_G.step()

    opt_D.zero_grad()
    d_loss = D_with_loss(real, valid, gen.detach(), fake)
    d_loss.backward()
    opt_D.step()
    print(f"{g_loss.item():.5f} {d_loss.item():.5f}")
