import torch
from torch import nn, optim
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train_step`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, counts, output, y):
        # Rare classes count more
        criterion = nn.CrossEntropyLoss(weight=1 / (1 + counts))
        return criterion(output, y)

    def forward(self, x, counts, y):
        output = self.model(x)
        return self.compute_loss(counts, output, y)


def train_step(model, optimizer, x, y):
    model_with_loss = ort_module(ModuleWithLoss, model)
    counts = torch.bincount(y, minlength=3).float()
    optimizer.zero_grad()
    loss = model_with_loss(x, counts, y)
    loss.backward()
    optimizer.step()
    return loss.item()


net = nn.Linear(4, 3)
sgd = optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    print(f"{train_step(net, sgd, torch.randn(5, 4), torch.randint(0, 3, (5,))):.5f}")
