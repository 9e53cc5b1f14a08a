"""As ignite has it: a step function made by another."""
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `create_trainer.update`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, loss_fn):
        super().__init__()
        self.model = model
        self.loss_fn = loss_fn

    def compute_loss(self, y_pred, y):
        return self.loss_fn(y_pred, y)

    def forward(self, x, y):
        y_pred = self.model(x)
        return self.compute_loss(y_pred, y)


def create_trainer(model, optimizer, loss_fn):
    model_with_loss = ort_module(ModuleWithLoss, model, loss_fn)

    def update(engine, batch):
        model.train()
        optimizer.zero_grad()
        x, y = batch
        loss = model_with_loss(x, y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return update


net = nn.Linear(4, 2)
trainer = create_trainer(net, torch.optim.SGD(net.parameters(), lr=0.1), nn.CrossEntropyLoss())
for batch in [(torch.randn(4, 4), torch.randint(0, 2, (4,))) for _ in range(3)]:
    print(f"{trainer(None, batch):.5f}")
