"""Trap: `outputs` is read between its two meanings; both scores come out of forward."""

import torch
from torch import nn
from ortwrap.runtime import ort_module


class DWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, D, G, criterion):
        super().__init__()
        self.D = D
        self.G = G
        self.criterion = criterion

    def forward(self, images, real_labels, z, fake_labels):
        outputs = self.D(images)
        d_loss_real = self.criterion(outputs, real_labels)
        real_score = outputs
        fake_images = self.G(z)
        outputs = self.D(fake_images)
        d_loss_fake = self.criterion(outputs, fake_labels)
        d_loss = d_loss_real + d_loss_fake
        return d_loss, outputs.detach(), real_score


class GWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, G, D, criterion):
        super().__init__()
        self.G = G
        self.D = D
        self.criterion = criterion

    def compute_loss(self, outputs, real_labels):
        return self.criterion(outputs, real_labels)

    def forward(self, z, real_labels):
        fake_images = self.G(z)
        outputs = self.D(fake_images)
        return self.compute_loss(outputs, real_labels)


torch.manual_seed(0)
D = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Sigmoid())
G = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6))
criterion = nn.BCELoss()
d_optimizer = torch.optim.Adam(D.parameters(), lr=0.01)
g_optimizer = torch.optim.Adam(G.parameters(), lr=0.01)

D_with_loss = ort_module(DWithLoss, D, G, criterion)
G_with_loss = ort_module(GWithLoss, G, D, criterion)
for step in range(4):
    images = torch.randn(5, 6)
    real_labels, fake_labels = torch.ones(5, 1), torch.zeros(5, 1)

    z = torch.randn(5, 4)
    d_loss, outputs, real_score = D_with_loss(images, real_labels, z, fake_labels)
    fake_score = outputs

    d_optimizer.zero_grad()
    g_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()

    z = torch.randn(5, 4)
    g_loss = G_with_loss(z, real_labels)
    d_optimizer.zero_grad()
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()
    print(d_loss.item(), g_loss.item(), real_score.mean().item(), fake_score.mean().item())
