"""A schedule is called between the model and the loss, and counts how often."""

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


class Anneal:
    def __init__(self, steps, top):
        self.steps, self.top, self.calls = steps, top, 0

    def __call__(self):
        self.calls += 1
        return self.top * min(1.0, self.calls / self.steps)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(8, 6)
        self.decoder = nn.Linear(3, 8)

    def forward(self, x):
        mean, logvar = self.encoder(x).chunk(2, dim=1)
        latent = mean + torch.randn_like(mean) * (0.5 * logvar).exp()
        return self.decoder(latent), mean, logvar


model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
anneal = Anneal(steps=4, top=2.0)


def train(steps):
    for _ in range(steps):
        images = torch.rand(8, 8)
        reconstructed, mean, logvar = model(images)
        beta = anneal()
        loss = F.mse_loss(reconstructed, images) - beta * (1 + logvar - mean**2 - logvar.exp()).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"beta {beta:.2f} loss {loss.item():.4f}")


train(6)
