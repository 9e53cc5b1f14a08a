import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(4, 3), nn.Linear(5, 3)

    def forward(self, left, right):
        return self.left(left) + self.right(right)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, out, label):
        return self.criterion(out, label)

    def forward(self, inputs, label):
        out = self.model(*inputs)
        loss = self.compute_loss(out, label)
        return loss, out.detach()


model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loader = [(torch.randn(4, 4), torch.randn(4, 5), torch.randint(0, 3, (4,))) for _ in range(3)]

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for *inputs, label in loader:
    loss, out = model_with_loss(inputs, label)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}", out.argmax(1).tolist())
