"""nanoGPT's loop: the next batch is fetched under the same names before backward."""
import contextlib

import torch
from torch import nn
from torch.nn import functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)
gradient_accumulation_steps = 2
ctx = contextlib.nullcontext()


class Bigram(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(9, 9)

    def forward(self, idx, targets=None):
        logits = self.table(idx)
        return logits, F.cross_entropy(logits.view(-1, 9), targets.view(-1))


def get_batch(split):
    x = torch.randint(9, (3, 5))
    return x, x.roll(-1, 1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, X, Y):
        logits, loss = self.model(X, Y)
        return loss


model = Bigram()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu", enabled=False)

X, Y = get_batch('train')  # fetch the very first batch
model_with_loss = ort_module(ModuleWithLoss, model)
for iter_num in range(2):
    for micro_step in range(gradient_accumulation_steps):
        with ctx:
            loss = model_with_loss(X, Y)
            loss = loss / gradient_accumulation_steps  # scale the loss to account for gradient accumulation
        # immediately async prefetch next batch while model is doing the forward pass on the GPU
        X, Y = get_batch('train')
        # backward pass, with gradient scaling if training in fp16
        scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    print(f"iter {iter_num}: loss {loss.item() * gradient_accumulation_steps:.5f}")
