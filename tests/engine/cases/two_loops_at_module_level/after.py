import torch
from torch import nn
from torch.nn import functional as F
from ortwrap.runtime import ort_module


class EncoderWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def compute_loss(self, one, two):
        return F.mse_loss(one, two)

    def forward(self, images):
        one, two = self.encoder(images).chunk(2, dim=1)
        return self.compute_loss(one, two)


class HeadWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, head, encoder):
        super().__init__()
        self.head = head
        self.encoder = encoder

    def compute_loss(self, logits, images):
        return F.cross_entropy(logits, (images.sum(1) > 0).long())

    def forward(self, images):
        logits = self.head(self.encoder(images))
        return self.compute_loss(logits, images)


torch.manual_seed(0)
encoder = nn.Linear(6, 8)
head = nn.Linear(8, 2)
optimizer = torch.optim.SGD([*encoder.parameters(), *head.parameters()], lr=1e-1)

encoder_with_loss = ort_module(EncoderWithLoss, encoder)

# Pretraining
for images in torch.randn(3, 5, 6):
    loss = encoder_with_loss(images)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")

head_with_loss = ort_module(HeadWithLoss, head, encoder)

# Fine-tuning
for images in torch.randn(3, 5, 6):
    loss = head_with_loss(images)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
