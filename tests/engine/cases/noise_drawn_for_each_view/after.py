import torch
from torch import nn
from torch.nn import functional as F
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def compute_loss(self, z):
        return 1 - F.cosine_similarity(*z.chunk(2)).mean()

    def forward(self, images, noise, noise_2):
        z = self.encoder(torch.cat([images + 0.1 * noise, images + 0.1 * noise_2]))
        return self.compute_loss(z)


torch.manual_seed(0)
encoder = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))
optimizer = torch.optim.SGD(encoder.parameters(), lr=1e-1)

encoder_with_loss = ort_module(ModuleWithLoss, encoder)

# Two views of a batch: the same expression twice, and two draws.
for images in torch.randn(3, 5, 6):
    loss = encoder_with_loss(images, torch.randn_like(images), torch.randn_like(images))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
