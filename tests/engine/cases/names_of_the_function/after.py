"""What the function imports and defines for itself is there in forward too."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, loss_fn):
        super().__init__()
        self.model = model
        self.loss_fn = loss_fn

    def compute_loss(self, logits, y):
        return self.loss_fn(logits, y)

    def forward(self, x, y):
        import torch.nn.functional as F
        logits = F.relu(self.model(x))
        return self.compute_loss(logits, y)


def main():
    import torch.nn.functional as F

    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss_fn(logits, target):
        return F.nll_loss(F.log_softmax(logits, dim=1), target)

    model_with_loss = ort_module(ModuleWithLoss, model, loss_fn)
    for step in range(5):
        x, y = torch.randn(4, 6), torch.randint(3, (4,))
        loss = model_with_loss(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item())


main()
