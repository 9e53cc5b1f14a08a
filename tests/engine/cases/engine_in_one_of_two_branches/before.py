"""Fine-tuning that either leaves backward to DeepSpeed or scales the loss; here it does the latter."""

import math
import sys

import torch
from scaling import Scaler
from torch import nn

torch.manual_seed(0)


def run_batch(model, images, target, criterion):
    outputs = model(images)
    loss = criterion(outputs, target)
    return loss, outputs


def train_one_epoch(model, criterion, batches, optimizer, loss_scaler, update_freq):
    model.train(True)
    if loss_scaler is None:
        model.zero_grad()
    else:
        optimizer.zero_grad()
    for index, (images, target) in enumerate(batches):
        if loss_scaler is None:
            images = images.half()
            loss, output = run_batch(model, images, target, criterion)
        else:
            with torch.autocast("cpu", enabled=False):
                loss, output = run_batch(model, images, target, criterion)

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
