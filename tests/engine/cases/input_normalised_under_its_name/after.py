"""Trap: `x` gets another value between the model call and the loss, which reads the new one."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


def normalize(batch):
    mean = batch.new_tensor([0.5, 0.4, 0.3]).view(-1, 1, 1)
    return batch - mean


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, transformer, vgg, mse_loss):
        super().__init__()
        self.transformer = transformer
        self.vgg = vgg
        self.mse_loss = mse_loss

    def compute_loss(self, features_y, features_x):
        return self.mse_loss(features_y, features_x)

    def forward(self, x):
        y = self.transformer(x)
        y = normalize(y)
        x = normalize(x)
        features_y = self.vgg(y)
        features_x = self.vgg(x)
        return self.compute_loss(features_y, features_x)


transformer = nn.Conv2d(3, 3, 3, padding=1)
vgg = nn.Conv2d(3, 8, 3).requires_grad_(False)
optimizer = torch.optim.Adam(transformer.parameters(), lr=0.01)
mse_loss = nn.MSELoss()

transformer_with_loss = ort_module(ModuleWithLoss, transformer, vgg, mse_loss)
for step in range(4):
    x = torch.rand(2, 3, 8, 8)
    optimizer.zero_grad()

    loss = transformer_with_loss(x)
    loss.backward()
    optimizer.step()
    print(loss.item())
