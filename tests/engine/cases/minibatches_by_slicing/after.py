"""No DataLoader: slices of the tensors, by numbers that change from step to step."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, outputs, y_train):
        return F.cross_entropy(outputs, y_train)

    def forward(self, X_train, y_train):
        outputs = self.model(X_train)
        return self.compute_loss(outputs, y_train)


torch.manual_seed(0)
X_train, y_train = torch.randn(24, 5), torch.randint(0, 3, (24,))
batch_size = 6
model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model)
for epoch in range(2):
    for i in range(0, X_train.size(0), batch_size):
        loss = model_with_loss(X_train[i:i + batch_size], y_train[i:i + batch_size])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, f"{loss.item():.5f}")
