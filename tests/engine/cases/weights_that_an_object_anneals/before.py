"""Objects that count their calls give the weights of the terms, in the call of the loss itself."""

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


class Anneal:
    def __init__(self, steps):
        self.steps, self.calls = steps, 0

    def __call__(self):
        self.calls += 1
        return min(1.0, self.calls / self.steps)


class Schedule:
    def __init__(self, start, decay):
        self.value, self.decay = start, decay

    def weight(self):
        self.value *= self.decay
        return 1.0 - self.value


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(8, 6)
        self.decoder = nn.Linear(3, 8)

    def forward(self, x):
        mean, logvar = self.encoder(x).chunk(2, dim=1)
        latent = mean + torch.randn_like(mean) * (0.5 * logvar).exp()
        return self.decoder(latent), mean, logvar


def elbo(reconstructed, x, mean, logvar, beta, weight):
    likelihood = F.mse_loss(reconstructed, x, reduction="sum")
    divergence = -0.5 * torch.sum(1 + logvar - mean.pow(2) - logvar.exp())
    return weight * likelihood + beta * divergence, divergence


def train(model, optimizer, anneal, schedule, steps):
    for _ in range(steps):
        x = torch.rand(8, 8)
        reconstructed, mean, logvar = model(x)
        weight = schedule.weight()
        loss, divergence = elbo(reconstructed, x, mean, logvar, beta=anneal(), weight=weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item(), divergence.item())


model = VAE()
anneal, schedule = Anneal(steps=4), Schedule(start=0.9, decay=0.7)
train(model, torch.optim.Adam(model.parameters(), lr=1e-2), anneal, schedule, steps=6)
