import torch
from torch import nn

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 6), nn.Tanh())
D = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Sigmoid())
bce = nn.BCELoss()
opt_G = torch.optim.Adam(G.parameters(), lr=0.01)
opt_D = torch.optim.Adam(D.parameters(), lr=0.01)

# `gen` is what G returned, whatever its name says.
for real in torch.randn(3, 5, 6):
    valid, fake = torch.ones(5, 1), torch.zeros(5, 1)
    z = torch.randn(5, 3)

    opt_G.zero_grad()
    gen = G(z)
    g_loss = bce(D(gen), valid)
    g_loss.backward()
    opt_G.step()

    opt_D.zero_grad()
    d_loss = (bce(D(real), valid) + bce(D(gen.detach()), fake)) / 2
    d_loss.backward()
    opt_D.step()
    print(f"{g_loss.item():.5f} {d_loss.item():.5f}")
