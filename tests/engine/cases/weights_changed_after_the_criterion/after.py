import torch
from torch import nn, optim
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train_step`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, x, y):
        return self.criterion(self.model(x), y)


def train_step(model, optimizer, x, y, rare):
    weight = torch.ones(3)
    criterion = nn.CrossEntropyLoss(weight=weight)
    weight[rare] = 5.0
    optimizer.zero_grad()
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    loss = model_with_loss(x, y)
    loss.backward()
    optimizer.step()
    return loss.item()


net = nn.Linear(4, 3)
sgd = optim.SGD(net.parameters(), lr=0.1)
for rare in range(3):
    print(f"{train_step(net, sgd, torch.randn(5, 4), torch.randint(0, 3, (5,)), rare):.5f}")
