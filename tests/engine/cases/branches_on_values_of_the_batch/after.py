"""Where a batch has no positive at all, its loss is another one: the labels tell, not the model."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, positive_any, out, positive, y, y_lt_value_sum_gt_2):
        if positive_any:
            loss = F.mse_loss(out[positive], y[positive])
        else:
            loss = 0.1 * out.abs().mean()
        if y_lt_value_sum_gt_2:
            loss = loss + 0.1 * F.relu(-1 - out).mean()
        return loss

    def forward(self, x, positive_any, positive, y, y_lt_value_sum_gt_2):
        out = self.model(x)
        return self.compute_loss(positive_any, out, positive, y, y_lt_value_sum_gt_2)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model)
for step in range(8):
    x, y = torch.randn(6, 4), torch.randn(6, 2)
    if step % 3 == 2:
        y = -y.abs()
    positive = y > 0
    loss = model_with_loss(
        x, bool(positive.any()), positive, y, bool((y < -1).sum() > 2)
    )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
