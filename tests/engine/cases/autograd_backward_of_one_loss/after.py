"""`torch.autograd.backward` is given its one loss in a tuple, which type checkers know."""
import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, logits, y):
        return F.cross_entropy(logits, y)

    def forward(self, x, y):
        logits = self.model(x)
        return self.compute_loss(logits, y)


def train(model, optimizer, batches):
    model_with_loss = ort_module(ModuleWithLoss, model)
    for x, y in batches:
        optimizer.zero_grad(set_to_none=True)
        loss = model_with_loss(x, y)
        torch.autograd.backward((loss,))
        optimizer.step()
        print(f"{float(loss):.4f}")


torch.manual_seed(0)
model = nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
train(model, optimizer, [(torch.randn(6, 4), torch.randint(0, 3, (6,))) for _ in range(3)])
