import torch
import torch.nn as nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, output, label):
        return self.criterion(output, label.squeeze(1).long())

    def forward(self, image, label):
        output = self.model(image.view(-1, 12))
        return self.compute_loss(output, label)


torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
model = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3)).to(device)
criterion = nn.CrossEntropyLoss().to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
dataset = [{"image": torch.randn(4, 3, 4), "label": torch.randint(0, 3, (4, 1))} for _ in range(3)]

model.train()
model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for sample in dataset:
    optimizer.zero_grad()
    loss = model_with_loss(sample["image"].to(device), sample["label"].to(device))
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
