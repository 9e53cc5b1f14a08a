"""Trap: the loss is divided by how many samples there are, and the last batch has fewer."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, outputs, targets, inputs_len, inputs_shape_0):
        loss = F.cross_entropy(outputs, targets, reduction="sum")
        return loss / inputs_len + outputs.pow(2).sum() / inputs_shape_0

    def forward(self, inputs, targets, inputs_len, inputs_shape_0):
        outputs = self.model(inputs)
        return self.compute_loss(outputs, targets, inputs_len, inputs_shape_0)


torch.manual_seed(0)

data = torch.randn(18, 6), torch.randint(3, (18,))
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data), batch_size=8)
model = nn.Linear(6, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model)
for epoch in range(2):
    for inputs, targets in loader:
        loss = model_with_loss(inputs, targets, len(inputs), inputs.shape[0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item())
