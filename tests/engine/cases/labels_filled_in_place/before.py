"""Trap: one tensor of labels is filled anew between the losses, and gradients add up."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

netD = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Sigmoid())
netG = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6))
criterion = nn.BCELoss()
optimizerD = torch.optim.SGD(netD.parameters(), lr=0.1)
optimizerG = torch.optim.SGD(netG.parameters(), lr=0.1)

for step in range(4):
    # update D with real and with fake samples
    netD.zero_grad()
    label = torch.full((5,), 1.0)
    output = netD(torch.randn(5, 6)).view(-1)
    errD_real = criterion(output, label)
    errD_real.backward()
    D_x = output.mean().item()

    noise = torch.randn(5, 4)
    fake = netG(noise)
    label.fill_(0.0)
    output = netD(fake.detach()).view(-1)
    errD_fake = criterion(output, label)
    errD_fake.backward()
    errD = errD_real + errD_fake
    optimizerD.step()

    # update G with the same samples, which are real to it
    netG.zero_grad()
    label.fill_(1.0)
    output = netD(fake).view(-1)
    errG = criterion(output, label)
    errG.backward()
    optimizerG.step()
    print(errD.item(), errG.item(), D_x)
