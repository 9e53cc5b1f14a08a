"""A plain class keeps both networks, and the script runs them by its methods."""

import torch
import torch.nn.functional as F
from torch import nn, optim
from ortwrap.runtime import ort_module


class GAN:
    def __init__(self, latent=8, width=16):
        self.latent = latent
        self.G = nn.Sequential(nn.Linear(latent, width), nn.ReLU(), nn.Linear(width, 4))
        self.D = nn.Sequential(nn.Linear(4, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))

    def noise(self, count):
        return torch.randn(count, self.latent)

    def generate(self, z):
        return self.G(z)

    def discriminate(self, x):
        return self.D(x).squeeze(1)


class DWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, D, discriminate):
        super().__init__()
        self.D = D
        self.discriminate = discriminate

    def compute_loss(self, d_real, d_fake):
        return F.softplus(-d_real).mean() + F.softplus(d_fake).mean()

    def forward(self, real, fake):
        d_real = self.discriminate(real)
        d_fake = self.discriminate(fake)
        return self.compute_loss(d_real, d_fake)


class GWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, D, G, discriminate, generate):
        super().__init__()
        self.D = D
        self.G = G
        self.discriminate = discriminate
        self.generate = generate

    def forward(self, z):
        return F.softplus(-self.discriminate(self.generate(z))).mean()


def main():
    torch.manual_seed(0)
    gan = GAN()
    opt_d = optim.Adam(gan.D.parameters(), lr=1e-3)
    opt_g = optim.Adam(gan.G.parameters(), lr=1e-3)
    for step in range(4):
        real = torch.randn(16, 4) * 0.5 + 1
        fake = gan.generate(gan.noise(16)).detach()
        D_with_loss = ort_module(DWithLoss, gan.D, gan.discriminate)
        d_loss = D_with_loss(real, fake)
        opt_d.zero_grad()
        d_loss.backward()
        opt_d.step()

        z = gan.noise(16)
        G_with_loss = ort_module(GWithLoss, gan.D, gan.G, gan.discriminate, gan.generate)
        g_loss = G_with_loss(z)
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()
        print(f"{step} {d_loss.item():.5f} {g_loss.item():.5f}")


main()
