import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, x, y):
        return self.criterion(self.model(x), y)


torch.manual_seed(0)
models = [nn.Linear(4, 2), nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))]
optimizers = [torch.optim.SGD(model.parameters(), lr=0.1) for model in models]
criterion = nn.CrossEntropyLoss()

for x, y in [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(3)]:
    for i in range(len(models)):
        model_with_loss = ort_module(ModuleWithLoss, models[i], criterion)
        loss = model_with_loss(x, y)
        optimizers[i].zero_grad()
        loss.backward()
        optimizers[i].step()
        print(i, f"{loss.item():.5f}")
