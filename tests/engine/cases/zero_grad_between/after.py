import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, loss_fn):
        super().__init__()
        self.model = model
        self.loss_fn = loss_fn

    def compute_loss(self, pred, y):
        return self.loss_fn(pred, y)

    def forward(self, X, y):
        pred = self.model(X)
        loss = self.compute_loss(pred, y)
        return loss, pred.detach()


torch.manual_seed(0)
model = nn.Linear(7, 3)
loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, loss_fn)
for X, y in [(torch.randn(5, 7), torch.randint(0, 3, (5,))) for _ in range(4)]:
    loss, pred = model_with_loss(X, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

    # after the update
    print(f"loss: {loss.item():>7f}  top: {pred.max().item():.5f}")
