"""Linear regression, everything at module level."""
import torch
import torch.nn as nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, outputs, y_train):
        return self.criterion(outputs, y_train)

    def forward(self, x_train, y_train):
        outputs = self.model(x_train)
        return self.compute_loss(outputs, y_train)


torch.manual_seed(0)
x_train = torch.randn(16, 3)
y_train = x_train @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.1

model = nn.Linear(3, 1)

# Loss and optimizer
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for epoch in range(4):
    # Forward pass
    loss = model_with_loss(x_train, y_train)

    # Backward and optimize
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

    print("Epoch [{}/{}], Loss: {:.5f}".format(epoch + 1, 4, loss.item()))

predicted = model(x_train).detach()
print(f"error {(predicted - y_train).abs().mean():.5f}")
