"""A plain class keeps both networks, and the script runs them by its methods."""

import torch
import torch.nn.functional as F
from torch import nn, optim


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


def main():
    torch.manual_seed(0)
    gan = GAN()
    opt_d = optim.Adam(gan.D.parameters(), lr=1e-3)
    opt_g = optim.Adam(gan.G.parameters(), lr=1e-3)
    for step in range(4):
        real = torch.randn(16, 4) * 0.5 + 1
        fake = gan.generate(gan.noise(16)).detach()
        d_real = gan.discriminate(real)
        d_fake = gan.discriminate(fake)
        d_loss = F.softplus(-d_real).mean() + F.softplus(d_fake).mean()
        opt_d.zero_grad()
        d_loss.backward()
        opt_d.step()

        z = gan.noise(16)
        g_loss = F.softplus(-gan.discriminate(gan.generate(z))).mean()
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()
        print(f"{step} {d_loss.item():.5f} {g_loss.item():.5f}")


main()
