"""Counters in branches: the schedule of a term is worked out only in the epochs that have it."""

import argparse
import math

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

parser = argparse.ArgumentParser()
parser.add_argument("--beta", type=float, default=0.5)
parser.add_argument("--warmup", type=int, default=4)
args = parser.parse_args([])


def rampup(current, length):
    phase = 1.0 - min(current, length) / length
    return float(math.exp(-5.0 * phase * phase))


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(8, 4), nn.Linear(4, 8)

    def forward(self, x):
        code = self.encoder(x)
        return self.decoder(code), code


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, reconstructed, x, weight, code, epoch_ge_1, rampup_value):
        loss = F.mse_loss(reconstructed, x)
        if args.beta > 0:
            loss = loss + weight * code.pow(2).mean()
        if epoch_ge_1:
            loss = loss + rampup_value * code.abs().mean()
        return loss

    def forward(self, x, weight, epoch_ge_1, rampup_value):
        reconstructed, code = self.model(x)
        return self.compute_loss(
            reconstructed, x, weight, code, epoch_ge_1, rampup_value
        )


def train(epoch, batches):
    global steps
    model_with_loss = ort_module(ModuleWithLoss, model)
    for x in batches:
        loss = model_with_loss(
            x,
            args.beta * min(1.0, steps / args.warmup) if args.beta > 0 else None,
            epoch >= 1,
            rampup(epoch, 5) if epoch >= 1 else None,
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    print(f"{epoch} {loss.item():.5f}")


torch.manual_seed(0)
steps = 0
model = Autoencoder()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(3):
    train(epoch, torch.randn(3, 8, 8))
