"""One process of one; torchrun starts more."""
import os
import tempfile

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel as DDP
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, output, targets):
        return self.criterion(output, targets)

    def forward(self, source, targets):
        output = self.model(source)
        return self.compute_loss(output, targets)


def main(rank, world_size, store):
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=world_size)
    torch.manual_seed(0)
    model = DDP(nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    for source, targets in [(torch.randn(4, 4), torch.randint(0, 2, (4,))) for _ in range(3)]:
        optimizer.zero_grad()
        loss = model_with_loss(source, targets)
        loss.backward()
        optimizer.step()
        if rank == 0:
            print(f"{loss.item():.5f}")
    dist.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(0, 1, os.path.join(folder, "store"))
