import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, logits, y):
        return F.cross_entropy(logits.float(), y)

    def forward(self, x, y):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=False):
            logits = self.model(x)
        return self.compute_loss(logits, y)


torch.manual_seed(0)
model = nn.Linear(8, 4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu", enabled=False)

model_with_loss = ort_module(ModuleWithLoss, model)
for x, y in [(torch.randn(6, 8), torch.randint(0, 4, (6,))) for _ in range(3)]:
    # the loss in full precision
    loss = model_with_loss(x, y)
    optimizer.zero_grad(set_to_none=True)
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    print(f"{loss.item():.5f}")
