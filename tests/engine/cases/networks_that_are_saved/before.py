"""What is handed to `train` is called, saved and cleared as only modules are."""

import io

import torch
from networks import networks
from torch import nn

torch.manual_seed(0)


def train(G, D, E, for_G, for_D, for_E, noise, images):
    distance = nn.MSELoss()
    for z, real in zip(noise, images):
        for_G.zero_grad()
        made = G(z)
        wanted = torch.ones(len(z), 1)
        loss_G = distance(D(made), wanted) + E.loss(made, 1)
        loss_G.backward()
        for_G.step()

        for_D.zero_grad()
        on_real = distance(D(real), wanted)
        on_made = distance(D(made.detach()), torch.zeros(len(z), 1))
        loss_D = (on_real + on_made) / 2
        loss_D.backward()
        for_D.step()

        E.zero_grad()
        loss_E = E.loss(real, 1) + E.loss(made.detach(), 0)
        loss_E.backward()
        for_E.step()
        print(f"{loss_G.item():.5f} {loss_D.item():.5f} {loss_E.item():.5f}")
    torch.save({"G": G.state_dict(), "D": D.state_dict()}, io.BytesIO())


noise = [torch.randn(5, 3) for _ in range(4)]
train(*networks(), noise, [torch.randn(5, 6) for _ in range(4)])
