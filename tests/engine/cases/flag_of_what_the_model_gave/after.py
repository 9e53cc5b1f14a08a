import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class Encoder(nn.Module):
    def __init__(self, attends):
        super().__init__()
        self.project = nn.Linear(6, 4)
        self.gate = nn.Linear(6, 4) if attends else None

    def forward(self, x):
        embedding = self.project(x)
        if self.gate is None:
            return embedding
        attention = torch.sigmoid(self.gate(x))
        return embedding * attention, attention


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, output, target, sparsity):
        if isinstance(output, tuple):
            embedding, attention = output
            has_attention = True
        else:
            embedding = output
            has_attention = False
        loss = F.mse_loss(embedding, target)
        # Only some models attend.
        if has_attention:
            loss = loss + sparsity * attention.mean()
        return loss

    def forward(self, x, target, sparsity):
        output = self.model(x)
        return self.compute_loss(output, target, sparsity)


def train_epoch(model, batches, optimizer, sparsity=0.1):
    model_with_loss = ort_module(ModuleWithLoss, model)
    model.train()
    running = 0.0
    for x, target in batches:
        loss = model_with_loss(x, target, sparsity)

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item()
    return running / len(batches)


torch.manual_seed(0)
batches = [(torch.randn(5, 6), torch.randn(5, 4)) for _ in range(3)]
for attends in (False, True):
    model = Encoder(attends)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(2):
        print(f"attends {attends}, epoch {epoch}: {train_epoch(model, batches, optimizer):.4f}")
