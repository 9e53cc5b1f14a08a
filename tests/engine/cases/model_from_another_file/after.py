import torch
import torch.optim as optim
from nets import build_criterion, create_model
from ortwrap.runtime import ort_module


class ModuleWithLoss(torch.nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, prediction, target):
        return self.criterion(prediction, target)

    def forward(self, batch, target):
        prediction = self.model(batch)
        return self.compute_loss(prediction, target)


torch.manual_seed(0)
model = create_model(width=5)
criterion = build_criterion()
optimizer = optim.SGD(model.parameters(), lr=0.1)
loader = [(torch.randn(4, 5), torch.randint(0, 2, (4,))) for _ in range(3)]

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for batch, target in loader:
    loss = model_with_loss(batch, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
