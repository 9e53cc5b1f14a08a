"""The discriminator is frozen between the generator's run and its loss, and thawed after it."""

import torch
from torch import nn

torch.manual_seed(0)


def set_requires_grad(nets, requires_grad=False):
    """Switch the gradients of networks, to avoid needless computation."""
    if not isinstance(nets, list):
        nets = [nets]
    for net in nets:
        if net is not None:
            for param in net.parameters():
                param.requires_grad = requires_grad


G = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6))
D = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer_g = torch.optim.SGD(G.parameters(), lr=0.1)
optimizer_d = torch.optim.SGD(D.parameters(), lr=0.1)

for step in range(4):
    z, real = torch.randn(5, 4), torch.randn(5, 6)

    fake = G(z)
    set_requires_grad([D], False)
    optimizer_g.zero_grad()
    loss_g = criterion(D(fake), torch.ones(5, 1))
    loss_g.backward()
    optimizer_g.step()

    set_requires_grad(D, True)
    optimizer_d.zero_grad()
    scores = torch.cat([D(real), D(fake.detach())])
    loss_d = criterion(scores, torch.cat([torch.ones(5, 1), torch.zeros(5, 1)]))
    loss_d.backward()
    optimizer_d.step()
    print(loss_g.item(), loss_d.item())
