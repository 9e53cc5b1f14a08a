import random

import torch
from torch import nn, optim
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ReplayBuffer:
    def __init__(self, size=4):
        self.size = size
        self.data = []

    def push_and_pop(self, images):
        out = []
        for image in images.detach():
            image = image.unsqueeze(0)
            if len(self.data) < self.size:
                self.data.append(image)
                out.append(image)
            elif random.uniform(0, 1) > 0.5:
                i = random.randint(0, self.size - 1)
                out.append(self.data[i].clone())
                self.data[i] = image
            else:
                out.append(image)
        return torch.cat(out)


class GWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, G, D, criterion_GAN):
        super().__init__()
        self.G = G
        self.D = D
        self.criterion_GAN = criterion_GAN

    def forward(self, z, valid):
        generated = self.G(z)
        loss_G = self.criterion_GAN(self.D(generated), valid)
        return loss_G, generated


class DWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, D, criterion_GAN):
        super().__init__()
        self.D = D
        self.criterion_GAN = criterion_GAN

    def forward(self, real, valid, generated, fake):
        # Real loss
        loss_real = self.criterion_GAN(self.D(real), valid)
        loss_fake = self.criterion_GAN(self.D(generated), fake)
        # Total loss
        return (loss_real + loss_fake) / 2


G, D = nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 4), nn.LeakyReLU(), nn.Linear(4, 1))
optimizer_G = optim.SGD(G.parameters(), lr=0.1)
optimizer_D = optim.SGD(D.parameters(), lr=0.1)
criterion_GAN = nn.MSELoss()
fake_buffer, other_buffer = ReplayBuffer(), ReplayBuffer(2)

G_with_loss = ort_module(GWithLoss, G, D, criterion_GAN)
D_with_loss = ort_module(DWithLoss, D, criterion_GAN)
for _ in range(6):
    z, real = torch.randn(3, 3), torch.randn(3, 4)
    valid, fake = torch.ones(3, 1), torch.zeros(3, 1)

    loss_G, generated = G_with_loss(z, valid)
    optimizer_G.zero_grad()
    loss_G.backward()
    optimizer_G.step()

    optimizer_D.zero_grad()
    # Fake loss (on batch of previously generated samples)
    generated = fake_buffer.push_and_pop(generated)
    loss_D = D_with_loss(real, valid, generated.detach(), fake)
    loss_D.backward()
    optimizer_D.step()
    print(f"{loss_G.item():.5f} {loss_D.item():.5f}")
