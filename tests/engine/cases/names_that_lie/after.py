"""`loss` is the criterion, `output` the loss, and `F` a function of one's own."""
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


def F(tensor):
    return tensor.clamp(min=-3.0, max=3.0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, mlp, loss):
        super().__init__()
        self.mlp = mlp
        self.loss = loss

    def compute_loss(self, scores, labels):
        return self.loss(scores, labels)

    def forward(self, model, labels):
        scores = F(self.mlp(model))
        return self.compute_loss(scores, labels)


model = torch.randn(12, 4)
labels = torch.randint(0, 3, (12,))
mlp = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
loss = nn.CrossEntropyLoss()
opt = torch.optim.SGD(mlp.parameters(), lr=0.1)

mlp_with_loss = ort_module(ModuleWithLoss, mlp, loss)
for start in range(0, 12, 4):
    opt.zero_grad()
    output = mlp_with_loss(model[start:start + 4], labels[start:start + 4])
    output.backward()
    opt.step()
    print(f"{output.item():.5f}")
