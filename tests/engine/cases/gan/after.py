"""DCGAN's training loop, with two linear networks."""
import torch
import torch.nn as nn
import torch.optim as optim
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, netD, criterion):
        super().__init__()
        self.netD = netD
        self.criterion = criterion

    def compute_loss(self, output, label):
        return self.criterion(output, label)

    def forward(self, data, label):
        output = self.netD(data).view(-1)
        errD_real = self.compute_loss(output, label)
        return errD_real, output.detach()


torch.manual_seed(0)
nz, real_label, fake_label = 4, 1., 0.
netG = nn.Sequential(nn.Linear(nz, 6), nn.Tanh())
netD = nn.Sequential(nn.Linear(6, 1), nn.Sigmoid())
criterion = nn.BCELoss()
optimizerD = optim.Adam(netD.parameters(), lr=0.01)
optimizerG = optim.Adam(netG.parameters(), lr=0.01)

netD_with_loss = ort_module(ModuleWithLoss, netD, criterion)
for i, data in enumerate(torch.randn(3, 5, 6)):
    # (1) Update D network: maximize log(D(x)) + log(1 - D(G(z)))
    # train with real
    netD.zero_grad()
    label = torch.full((5,), real_label)
    errD_real, output = netD_with_loss(data, label)
    errD_real.backward()
    D_x = output.mean().item()

    # train with fake
    noise = torch.randn(5, nz)
    fake = netG(noise)
    label.fill_(fake_label)
    errD_fake, output = netD_with_loss(fake.detach(), label)
    errD_fake.backward()
    D_G_z1 = output.mean().item()
    errD = errD_real + errD_fake
    optimizerD.step()

    # (2) Update G network: maximize log(D(G(z)))
    netG.zero_grad()
    label.fill_(real_label)  # fake labels are real for generator cost
    errG, output = netD_with_loss(fake, label)
    errG.backward()
    D_G_z2 = output.mean().item()
    optimizerG.step()
    print('[%d] Loss_D: %.5f Loss_G: %.5f D(x): %.4f D(G(z)): %.4f / %.4f'
          % (i, errD.item(), errG.item(), D_x, D_G_z1, D_G_z2))
