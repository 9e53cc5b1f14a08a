import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, output, target):
        return self.criterion(output, target)

    def forward(self, image, target):
        output = self.model(image)
        return self.compute_loss(output, target)


torch.manual_seed(0)
fp16 = False
scaler = torch.amp.GradScaler("cpu", enabled=fp16)
model = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for image, target in [(torch.randn(5, 6), torch.randint(0, 3, (5,))) for _ in range(3)]:
    loss = model_with_loss(image, target)
    optimizer.zero_grad()
    if fp16:
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    else:
        loss.backward()
        # full precision: clip as we always did
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
    print(f"{loss.item():.5f}")
