import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, outputs, targets):
        return self.criterion(outputs, targets)

    def forward(self, samples, targets):
        outputs = self.model(samples)
        return self.compute_loss(outputs, targets)


torch.manual_seed(0)
model = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
accum_iter = 2

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for data_iter_step, (samples, targets) in enumerate(
    [(torch.randn(4, 4), torch.randint(0, 3, (4,))) for _ in range(4)]
):
    loss = model_with_loss(samples, targets)
    loss_value = loss.item()
    loss /= accum_iter
    loss.backward()
    if (data_iter_step + 1) % accum_iter == 0:
        optimizer.step()
        optimizer.zero_grad()
    print(f"{loss_value:.5f} {loss.item():.5f}")
