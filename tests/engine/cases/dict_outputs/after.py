import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Multitask(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(6, 8)
        self.heads = nn.ModuleDict({"depth": nn.Linear(8, 1), "label": nn.Linear(8, 3)})

    def forward(self, x):
        h = torch.relu(self.shared(x))
        return {name: head(h) for name, head in self.heads.items()}


model = Multitask()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train_one_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, outputs, depth, label):
        return F.l1_loss(outputs["depth"], depth) + F.cross_entropy(
            outputs["label"], label
        )

    def forward(self, samples, depth, label):
        outputs = self.model(samples)
        loss = self.compute_loss(outputs, depth, label)
        return loss, outputs


def train_one_epoch(model, loader, optimizer):
    model_with_loss = ort_module(ModuleWithLoss, model)
    correct = 0
    for samples, targets in loader:
        loss, outputs = model_with_loss(samples, targets["depth"], targets["label"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        correct += (outputs["label"].argmax(1) == targets["label"]).sum().item()
        print(f"{loss.item():.5f}")
    return correct


loader = [
    (torch.randn(4, 6), {"depth": torch.rand(4, 1), "label": torch.randint(0, 3, (4,))})
    for _ in range(3)
]
print(train_one_epoch(model, loader, optimizer))
