"""The loss is logged before a term is added to it, in place, and again after the step."""

import argparse

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


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


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, sparsity_gt_0, sparsity):
        reconstructed, code = self.model(x)
        loss = F.mse_loss(reconstructed, x)
        loss_so_far = loss.clone()
        # A sparse code.
        if sparsity_gt_0:
            loss += sparsity * code.abs().mean()
        return loss, loss_so_far.detach()


def train(model, batches, optimizer, writer, args):
    model_with_loss = ort_module(ModuleWithLoss, model)
    model.train()
    for step, x in enumerate(batches):
        loss, loss_so_far = model_with_loss(x, args.sparsity > 0, args.sparsity)

        if args.log:
            writer.add_scalar("train/reconstruction", loss_so_far.detach(), step)
        first = loss_so_far.item()

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
