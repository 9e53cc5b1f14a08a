"""Vocoder training: the discriminator joins after some steps, which `train` is told the number of."""
import argparse
from inspect import signature

import torch
from torch import nn
from ortwrap.runtime import ort_module


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, x):
        return self.layer(x)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model_G, model_D, criterion):
        super().__init__()
        self.model_G = model_G
        self.model_D = model_D
        self.criterion = criterion

    def compute_loss(self, y_hat, y, scores):
        loss = self.criterion(y_hat, y)
        if scores is not None:
            loss = loss - scores.mean()
        return loss

    def forward(self, x, global_step_gt_steps_to_start_discriminator, y):
        y_hat = self.model_G(x)
        scores = None
        if global_step_gt_steps_to_start_discriminator:
            if len(signature(self.model_D.forward).parameters) == 2:
                scores = self.model_D(y_hat, x)
            else:
                scores = self.model_D(y_hat)
            if c.use_weights:
                scores = scores * 0.5
        return self.compute_loss(y_hat, y, scores)


def train(model_G, model_D, criterion, optimizer, batches, global_step):
    model_G_with_loss = ort_module(ModuleWithLoss, model_G, model_D, criterion)
    for x, y in batches:
        optimizer.zero_grad()
        loss = model_G_with_loss(x, global_step > c.steps_to_start_discriminator, y)
        loss.backward()
        optimizer.step()
        global_step += 1
        print(f"{global_step} {loss.item():.4f}")
    return None, global_step


def main():
    torch.manual_seed(0)
    batches = [(torch.randn(6, 4), torch.randn(6, 4)) for _ in range(4)]
    model_G, model_D = nn.Linear(4, 4), Discriminator()
    optimizer = torch.optim.SGD(model_G.parameters(), lr=0.1)
    global_step = 0
    for _ in range(2):
        _, global_step = train(model_G, model_D, nn.MSELoss(), optimizer, batches, global_step)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps-to-start-discriminator", type=int, default=2)
    parser.add_argument("--use-weights", type=bool, default=True)
    c = parser.parse_args([])
    main()
