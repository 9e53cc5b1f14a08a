"""The loss is logged before a term is added to it, in place, and again after the step."""

import argparse

import torch
import torch.nn.functional as F
from torch import nn


class Writer:
    """Stands for a SummaryWriter."""

    def __init__(self):
        self.scalars = []

    def add_scalar(self, tag, value, step):
        self.scalars.append((tag, round(float(value), 4), step))


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(8, 4), nn.Linear(4, 8)

    def forward(self, x):
        code = self.encoder(x)
        return self.decoder(code), code


def train(model, batches, optimizer, writer, args):
    model.train()
    for step, x in enumerate(batches):
        reconstructed, code = model(x)
        loss = F.mse_loss(reconstructed, x)

        if args.log:
            writer.add_scalar("train/reconstruction", loss.detach(), step)
        first = loss.item()

        # A sparse code.
        if args.sparsity > 0:
            loss += args.sparsity * code.abs().mean()

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        writer.add_scalar("train/loss", loss.detach(), step)
        print(f"{step} {first:.4f}")


parser = argparse.ArgumentParser()
parser.add_argument("--sparsity", type=float, default=0.5)
parser.add_argument("--log", default=True)
args = parser.parse_args([])

torch.manual_seed(0)
model = Autoencoder()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
writer = Writer()
train(model, torch.randn(6, 5, 8), optimizer, writer, args)
print(writer.scalars)
