import math
import sys

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class NativeScaler:
    """As timm has it"""

    def __init__(self):
        self._scaler = torch.amp.GradScaler("cpu", enabled=False)

    def __call__(self, loss, optimizer, clip_grad=None, parameters=None):
        self._scaler.scale(loss).backward()
        if clip_grad is not None:
            self._scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(parameters, clip_grad)
        self._scaler.step(optimizer)
        self._scaler.update()


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


def train_one_epoch(model, criterion, data_loader, optimizer, loss_scaler, max_norm=0):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    model.train()
    for samples, targets in data_loader:
        with torch.amp.autocast("cpu", enabled=False):
            loss = model_with_loss(samples, targets)

        loss_value = loss.item()
        if not math.isfinite(loss_value):
            print("Loss is {}, stopping training".format(loss_value))
            sys.exit(1)

        optimizer.zero_grad()
        loss_scaler(loss, optimizer, clip_grad=max_norm, parameters=model.parameters())
        print(f"{loss_value:.5f}")


if __name__ == "__main__":
    model = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    loader = [(torch.randn(4, 6), torch.randint(0, 3, (4,))) for _ in range(3)]
    train_one_epoch(model, nn.CrossEntropyLoss(), loader, optimizer, NativeScaler(), max_norm=1.0)
