"""Style transfer: the loss compares features of a frozen network."""
import torch
from torch import nn, optim
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, transformer, vgg, mse_loss):
        super().__init__()
        self.transformer = transformer
        self.vgg = vgg
        self.mse_loss = mse_loss

    def forward(self, x):
        y = self.transformer(x)
        features_y = self.vgg(y)
        features_x = self.vgg(x)
        content_loss = 1e1 * self.mse_loss(features_y, features_x)
        total_loss = content_loss
        return total_loss, content_loss.detach()


torch.manual_seed(0)
transformer = nn.Conv2d(3, 3, 3, padding=1)
vgg = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).requires_grad_(False)
optimizer = optim.Adam(transformer.parameters(), 1e-2)
mse_loss = nn.MSELoss()

transformer_with_loss = ort_module(ModuleWithLoss, transformer, vgg, mse_loss)
for x in torch.rand(3, 2, 3, 6, 6):
    optimizer.zero_grad()

    total_loss, content_loss = transformer_with_loss(x)
    total_loss.backward()
    optimizer.step()
    print(f"{content_loss.item():.5f}")
