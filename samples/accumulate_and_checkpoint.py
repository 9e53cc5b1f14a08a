"""Fit a regression network with gradient accumulation, mixed precision and resumable checkpoints.

The data are noisy samples of a smooth function of eight variables, drawn here from a seed.
Stop it at any epoch and go on with `--resume checkpoint.pt`.
"""
import argparse
import os

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class ResidualBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.shrink = nn.Linear(2 * width, width)

    def forward(self, x):
        return x + self.shrink(torch.relu(self.expand(self.norm(x))))


class Regressor(nn.Module):
    def __init__(self, num_features, width, depth):
        super().__init__()
        self.stem = nn.Linear(num_features, width)
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(depth)])
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x))).squeeze(-1)


def make_dataset(num_samples, num_features, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(num_samples, num_features, generator=generator) * 2 - 1
    y = torch.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2] + x[:, 3:].pow(2).sum(dim=1)
    y = y + 0.05 * torch.randn(num_samples, generator=generator)
    return TensorDataset(x, (y - y.mean()) / y.std())


def save_checkpoint(path, model, optimizer, scaler, epoch, best_loss):
    torch.save({
        "epoch": epoch,
        "best_loss": best_loss,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scaler": scaler.state_dict(),
    }, path)


def load_checkpoint(path, model, optimizer, scaler, device):
    checkpoint = torch.load(path, map_location=device)
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    scaler.load_state_dict(checkpoint["scaler"])
    return checkpoint["epoch"] + 1, checkpoint["best_loss"]


def train_one_epoch(model, criterion, loader, optimizer, scaler, device, args):
    model.train()
    total_loss = 0.0
    optimizer.zero_grad(set_to_none=True)
    for step, (features, targets) in enumerate(loader):
        features = features.to(device, non_blocking=True)
        targets = targets.to(device, non_blocking=True)

        with torch.autocast(device_type=device.type, enabled=args.amp):
            predictions = model(features)
            loss = criterion(predictions, targets)
        total_loss += loss.item() * len(features)

        scaler.scale(loss / args.accumulation_steps).backward()

        if (step + 1) % args.accumulation_steps == 0 or step + 1 == len(loader):
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=5.0)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad(set_to_none=True)
    return total_loss / len(loader.dataset)


@torch.no_grad()
def validate(model, criterion, loader, device):
    model.eval()
    total_loss = 0.0
    for features, targets in loader:
        features, targets = features.to(device), targets.to(device)
        total_loss += criterion(model(features), targets).item() * len(features)
    return total_loss / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--accumulation-steps", type=int, default=4)
    parser.add_argument("--num-samples", type=int, default=4000)
    parser.add_argument("--num-features", type=int, default=8)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--amp", action="store_true", help="mixed precision (on CUDA always)")
    parser.add_argument("--checkpoint", default="", help="file to save the state to every epoch")
    parser.add_argument("--resume", default="", help="checkpoint to go on from")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    args.amp = args.amp or device.type == "cuda"

    dataset = make_dataset(args.num_samples, args.num_features, args.seed)
    num_val = len(dataset) // 5
    train_set, val_set = random_split(dataset, [len(dataset) - num_val, num_val])
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=512)

    model = Regressor(args.num_features, args.width, args.depth).to(device)
    criterion = nn.MSELoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    scaler = torch.amp.GradScaler(device.type, enabled=args.amp)

    start_epoch, best_loss = 0, float("inf")
    if args.resume and os.path.isfile(args.resume):
        start_epoch, best_loss = load_checkpoint(args.resume, model, optimizer, scaler, device)
        print(f"resumed from {args.resume} at epoch {start_epoch}")

    for epoch in range(start_epoch, args.epochs):
        train_loss = train_one_epoch(model, criterion, train_loader, optimizer, scaler, device, args)
        val_loss = validate(model, criterion, val_loader, device)
        best_loss = min(best_loss, val_loss)
        print(f"epoch {epoch}: train loss {train_loss:.4f}, val loss {val_loss:.4f}, "
              f"best {best_loss:.4f}")
        if args.checkpoint:
            save_checkpoint(args.checkpoint, model, optimizer, scaler, epoch, best_loss)


if __name__ == "__main__":
    main()
