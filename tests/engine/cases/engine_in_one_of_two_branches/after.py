"""Fine-tuning that either leaves backward to DeepSpeed or scales the loss; here it does the latter."""

import math
import sys

import torch
from scaling import Scaler
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


def run_batch(model, images, target, criterion):
    outputs = model(images)
    loss = criterion(outputs, target)
    return loss, outputs


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train_one_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, images, loss_scaler_is_none, target):
        if loss_scaler_is_none:
            images = images.half()
            loss, output = run_batch(self.model, images, target, self.criterion)
        else:
            with torch.autocast("cpu", enabled=False):
                loss, output = run_batch(self.model, images, target, self.criterion)
        return loss, output


def train_one_epoch(model, criterion, batches, optimizer, loss_scaler, update_freq):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    model.train(True)
    if loss_scaler is None:
        model.zero_grad()
    else:
        optimizer.zero_grad()
    for index, (images, target) in enumerate(batches):
        loss, output = model_with_loss(images, loss_scaler is None, target)

        loss_value = loss.item()
        if not math.isfinite(loss_value):
            print(f"Loss is {loss_value}, stopping training")
            sys.exit(1)

        if loss_scaler is None:
            loss /= update_freq
            model.backward(loss)
            model.step()
            grad_norm = None
        else:
            loss /= update_freq
            update = (index + 1) % update_freq == 0
            grad_norm = loss_scaler(
                loss, optimizer, clip_grad=1.0, parameters=model.parameters(), update=update
            )
            if update:
                optimizer.zero_grad()

        accuracy = (output.max(-1)[-1] == target).float().mean()
        print(f"{loss_value:.4f} {accuracy:.2f} {grad_norm or 0:.4f}")


def main():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.GELU(), nn.Linear(8, 3))
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    batches = [(torch.randn(4, 3, 4), torch.randint(0, 3, (4,))) for _ in range(4)]
    train_one_epoch(model, criterion, batches, optimizer, Scaler(), update_freq=2)


main()
