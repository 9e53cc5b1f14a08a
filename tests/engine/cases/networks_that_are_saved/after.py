"""What is handed to `train` is called, saved and cleared as only modules are."""

import io

import torch
from networks import networks
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class GWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, G, D, E, distance):
        super().__init__()
        self.G = G
        self.D = D
        self.E = E
        self.distance = distance

    def forward(self, z, wanted):
        made = self.G(z)
        loss_G = self.distance(self.D(made), wanted) + self.E.loss(made, 1)
        return loss_G, made.detach()


class DWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, D, distance):
        super().__init__()
        self.D = D
        self.distance = distance

    def forward(self, real, wanted, made, zeros):
        on_real = self.distance(self.D(real), wanted)
        on_made = self.distance(self.D(made), zeros)
        return (on_real + on_made) / 2


class EWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, E):
        super().__init__()
        self.E = E

    def forward(self, real, made):
        return self.E.loss(real, 1) + self.E.loss(made, 0)


def train(G, D, E, for_G, for_D, for_E, noise, images):
    E_with_loss = ort_module(EWithLoss, E)
    distance = nn.MSELoss()
    G_with_loss = ort_module(GWithLoss, G, D, E, distance)
    D_with_loss = ort_module(DWithLoss, D, distance)
    for z, real in zip(noise, images):
        for_G.zero_grad()
        wanted = torch.ones(len(z), 1)
        loss_G, made = G_with_loss(z, wanted)
        loss_G.backward()
        for_G.step()

        for_D.zero_grad()
        loss_D = D_with_loss(real, wanted, made.detach(), torch.zeros(len(z), 1))
        loss_D.backward()
        for_D.step()

        E.zero_grad()
        loss_E = E_with_loss(real, made.detach())
        loss_E.backward()
        for_E.step()
        print(f"{loss_G.item():.5f} {loss_D.item():.5f} {loss_E.item():.5f}")
    torch.save({"G": G.state_dict(), "D": D.state_dict()}, io.BytesIO())


noise = [torch.randn(5, 3) for _ in range(4)]
train(*networks(), noise, [torch.randn(5, 6) for _ in range(4)])
