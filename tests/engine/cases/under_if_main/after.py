import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, loss_func):
        super().__init__()
        self.model = model
        self.loss_func = loss_func

    def compute_loss(self, prediction, y):
        return self.loss_func(prediction, y)

    def forward(self, x, y):
        prediction = self.model(x)
        return self.compute_loss(prediction, y)


if __name__ == "__main__":
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    loss_func = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(8, 4)
    y = x.sum(dim=1, keepdim=True)
    model_with_loss = ort_module(ModuleWithLoss, model, loss_func)
    for t in range(3):
        loss = model_with_loss(x, y)  # prediction first, then target
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")
