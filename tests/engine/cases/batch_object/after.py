import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Batch:
    """What a collate function makes"""

    def __init__(self, src, trg):
        self.src, self.trg = src, trg
        self.ntokens = int((trg != 0).sum())


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, out, trg, ntokens):
        return self.criterion(out.reshape(-1, out.size(-1)), trg.reshape(-1)) / ntokens

    def forward(self, src, trg, ntokens):
        out = self.model(src)
        return self.compute_loss(out, trg, ntokens)


model = nn.Sequential(nn.Embedding(11, 6), nn.Linear(6, 11))
criterion = nn.CrossEntropyLoss(ignore_index=0, reduction="sum")
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for _ in range(3):
    batch = Batch(torch.randint(1, 11, (2, 5)), torch.randint(0, 11, (2, 5)))
    loss = model_with_loss(batch.src, batch.trg, batch.ntokens)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f} {batch.ntokens}")
