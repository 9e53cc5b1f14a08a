import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


def compute_loss(model, batch, criterion):
    """One forward pass"""
    features, labels = batch
    logits = model(features)
    return criterion(logits, labels)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, batch):
        return compute_loss(self.model, batch, self.criterion)


model = nn.Linear(5, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
train_batches = [(torch.randn(4, 5), torch.randint(0, 3, (4,))) for _ in range(3)]

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for batch in train_batches:
    loss = model_with_loss(batch)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
