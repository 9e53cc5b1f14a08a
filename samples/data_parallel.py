"""Train a tagger of digit strings on several processes, gradients averaged by DDP over gloo.

    torchrun --nproc_per_node 2 samples/data_parallel.py

Started without torchrun it trains in one process. Nothing is downloaded.
"""
import argparse
import os

import torch
import torch.distributed as dist
import torch.nn as nn
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler


class Tagger(nn.Module):
    """Says of each digit whether a larger one follows somewhere in its string."""

    def __init__(self, hidden_size):
        super().__init__()
        self.embedding = nn.Embedding(10, hidden_size)
        self.mixer = nn.Conv1d(hidden_size, hidden_size, 5, padding=2)
        self.norm = nn.LayerNorm(hidden_size)
        self.decoder = nn.Linear(hidden_size, 2)

    def forward(self, digits):
        hidden = self.embedding(digits)
        hidden = hidden + self.mixer(hidden.transpose(1, 2)).transpose(1, 2)
        return self.decoder(torch.relu(self.norm(hidden)))


def make_data(strings, length, seed):
    generator = torch.Generator().manual_seed(seed)
    digits = torch.randint(0, 10, (strings, length), generator=generator)
    largest_after = digits.flip(1).cummax(dim=1).values.flip(1)
    return TensorDataset(digits, (largest_after > digits).long())


def train(model, loader, optimizer, criterion, epoch, rank):
    loader.sampler.set_epoch(epoch)
    model.train()
    total, correct, seen = 0.0, 0, 0
    for digits, labels in loader:
        optimizer.zero_grad()
        output = model(digits)
        loss = criterion(output.view(-1, 2), labels.view(-1))
        loss.backward()
        optimizer.step()
        total += loss.item()
        correct += (output.argmax(-1) == labels).sum().item()
        seen += labels.numel()
    if rank == 0:
        print(f"epoch {epoch}: loss {total / len(loader):.4f}, accuracy {correct / seen:.1%}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=32, help="of each process")
    parser.add_argument("--hidden-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29517")
    rank = int(os.environ.setdefault("RANK", "0"))
    os.environ.setdefault("WORLD_SIZE", "1")
    dist.init_process_group("gloo")

    # The ranks start from other weights; DDP gives them those of rank 0.
    torch.manual_seed(args.seed + rank)
    data = make_data(2048, 24, seed=args.seed)
    loader = DataLoader(data, batch_size=args.batch_size, sampler=DistributedSampler(data))
    model = DDP(Tagger(args.hidden_size))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)

    for epoch in range(1, args.epochs + 1):
        train(model, loader, optimizer, criterion, epoch, rank)
    if rank == 0:
        torch.save(model.module.state_dict(), "tagger.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
