"""Trap: one tensor of labels is filled anew between the losses, and gradients add up."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class NetDWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, netD, criterion):
        super().__init__()
        self.netD = netD
        self.criterion = criterion

    def compute_loss(self, output, label):
        return self.criterion(output, label)

    def forward(self, noise, label):
        output = self.netD(noise).view(-1)
        errD_real = self.compute_loss(output, label)
        return errD_real, output.detach()


class NetDWithErrDFake(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, netD, criterion):
        super().__init__()
        self.netD = netD
        self.criterion = criterion

    def compute_loss(self, output, label):
        return self.criterion(output, label)

    def forward(self, fake, label):
        output = self.netD(fake).view(-1)
        return self.compute_loss(output, label)


torch.manual_seed(0)

netD = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Sigmoid())
netG = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6))
criterion = nn.BCELoss()
optimizerD = torch.optim.SGD(netD.parameters(), lr=0.1)
optimizerG = torch.optim.SGD(netG.parameters(), lr=0.1)

netD_with_loss = ort_module(NetDWithLoss, netD, criterion)
netD_with_errD_fake = ort_module(NetDWithErrDFake, netD, criterion)
for step in range(4):
    # update D with real and with fake samples
    netD.zero_grad()
    label = torch.full((5,), 1.0)
    errD_real, output = netD_with_loss(torch.randn(5, 6), label)
    errD_real.backward()
    D_x = output.mean().item()

    noise = torch.randn(5, 4)
    fake = netG(noise)
    label.fill_(0.0)
    errD_fake = netD_with_errD_fake(fake.detach(), label)
    errD_fake.backward()
    errD = errD_real + errD_fake
    optimizerD.step()

    # update G with the same samples, which are real to it
    netG.zero_grad()
    label.fill_(1.0)
    errG = netD_with_errD_fake(fake, label)
    errG.backward()
    optimizerG.step()
    print(errD.item(), errG.item(), D_x)
