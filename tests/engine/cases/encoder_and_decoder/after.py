import itertools

import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, encoder, decoder, criterion):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.criterion = criterion

    def compute_loss(self, x_hat, x):
        return self.criterion(x_hat, x)

    def forward(self, x):
        z = self.encoder(x)
        x_hat = self.decoder(z)
        loss = self.compute_loss(x_hat, x)
        return loss, z.detach()


torch.manual_seed(0)
encoder = nn.Sequential(nn.Linear(8, 4), nn.ReLU())
decoder = nn.Linear(4, 8)
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(itertools.chain(encoder.parameters(), decoder.parameters()), lr=0.01)

encoder_with_loss = ort_module(ModuleWithLoss, encoder, decoder, criterion)
for epoch in range(2):
    for x in torch.rand(3, 5, 8):
        loss, z = encoder_with_loss(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"{epoch} {loss.item():.5f} {z.norm().item():.4f}")
