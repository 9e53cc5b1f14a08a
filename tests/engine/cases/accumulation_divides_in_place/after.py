import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, predictions, labels):
        return self.criterion(predictions, labels)

    def forward(self, inputs, labels):
        predictions = self.model(inputs)
        return self.compute_loss(predictions, labels)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
accumulation_steps = 2
batches = [(torch.randn(4, 5), torch.randint(0, 2, (4,))) for _ in range(6)]

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for i, (inputs, labels) in enumerate(batches):
    loss = model_with_loss(inputs, labels)
    loss = loss / accumulation_steps  # normalise
    loss.backward()
    if (i + 1) % accumulation_steps == 0:
        optimizer.step()
        optimizer.zero_grad()
        print(i, f"{loss.item():.5f}")
