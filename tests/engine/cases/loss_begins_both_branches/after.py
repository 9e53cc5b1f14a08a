"""Swin's loop: the same loss begins both branches, each with a backward of its own."""

import argparse

import torch
from torch import nn
from ortwrap.runtime import ort_module


def mixup_fn(samples, targets):
    lam = 0.7
    samples = samples * lam + samples.flip(0) * (1.0 - lam)
    targets = nn.functional.one_hot(targets, 3).float()
    return samples, targets * lam + targets.flip(0) * (1.0 - lam)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train_one_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, outputs, targets):
        return self.criterion(outputs, targets)

    def forward(self, samples, targets):
        outputs = self.model(samples)
        return self.compute_loss(outputs, targets)


def train_one_epoch(config, model, criterion, data_loader, optimizer, mixup_fn):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    model.train()
    optimizer.zero_grad()
    total = 0.0
    for idx, (samples, targets) in enumerate(data_loader):
        samples = samples.float()
        targets = targets.long()

        if mixup_fn is not None:
            samples, targets = mixup_fn(samples, targets)

        loss = model_with_loss(samples, targets)
        if config.accumulation_steps > 1:
            loss = loss / config.accumulation_steps
            loss.backward()
            if config.clip_grad:
                grad_norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_grad)
            if (idx + 1) % config.accumulation_steps == 0:
                optimizer.step()
                optimizer.zero_grad()
        else:
            optimizer.zero_grad()
            loss.backward()
            if config.clip_grad:
                grad_norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_grad)
            optimizer.step()

        total += loss.item()
    print(f"{total:.5f}")


parser = argparse.ArgumentParser()
parser.add_argument("--accumulation-steps", type=int, default=2)
parser.add_argument("--clip-grad", type=float, default=5.0)
config = parser.parse_args([])

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 3))
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
batches = [(torch.randn(4, 6), torch.randint(0, 3, (4,))) for _ in range(6)]
train_one_epoch(config, model, nn.CrossEntropyLoss(), batches, optimizer, mixup_fn)
config.accumulation_steps = 1
train_one_epoch(config, model, nn.CrossEntropyLoss(), batches, optimizer, mixup_fn)
