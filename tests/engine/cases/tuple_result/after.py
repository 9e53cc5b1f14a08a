import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        features = torch.tanh(self.body(x))
        return self.head(features), features


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, logits, labels):
        return self.criterion(logits, labels)

    def forward(self, images, labels):
        logits, _ = self.model(images)
        return self.compute_loss(logits, labels)


model = Classifier()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loader = [(torch.randn(8, 6), torch.randint(0, 3, (8,))) for _ in range(3)]

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for epoch in range(2):
    for images, labels in loader:
        # Only the logits are needed here, the features are for plotting.
        loss = model_with_loss(images, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, f"{loss.item():.5f}")
