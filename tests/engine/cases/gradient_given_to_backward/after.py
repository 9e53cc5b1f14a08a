# A Wasserstein GAN as its authors wrote it: each critic's output gets a gradient of its own.
import torch
import torch.nn as nn
import torch.optim as optim
from ortwrap.runtime import ort_module


class NetDWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, netD):
        super().__init__()
        self.netD = netD

    def forward(self, noise):
        return self.netD(noise).mean()


class NetDWithErrDFake(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, netD):
        super().__init__()
        self.netD = netD

    def forward(self, fake):
        return self.netD(fake).mean(0)


class NetGWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, netD, netG):
        super().__init__()
        self.netD = netD
        self.netG = netG

    def forward(self, noise):
        return self.netD(self.netG(noise))


torch.manual_seed(0)
netG = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 4))
netD = nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
optimizerG = optim.RMSprop(netG.parameters(), lr=0.001)
optimizerD = optim.RMSprop(netD.parameters(), lr=0.001)
one = torch.tensor(1.0)
mone = one * -1

netD_with_loss = ort_module(NetDWithLoss, netD)
netD_with_errD_fake = ort_module(NetDWithErrDFake, netD)
netG_with_loss = ort_module(NetGWithLoss, netD, netG)
for i in range(3):
    for p in netD.parameters():
        p.data.clamp_(-0.1, 0.1)  # clamp the weights
    netD.zero_grad()

    # train with real
    errD_real = netD_with_loss(torch.randn(6, 4))
    errD_real.backward(one)

    # train with fake
    fake = netG(torch.randn(6, 2))
    errD_fake = netD_with_errD_fake(fake.detach())
    errD_fake.backward(mone.view(1))
    errD = errD_real - errD_fake
    optimizerD.step()

    # every sample of the generator weighs as much as its own gradient says
    netG.zero_grad()
    output = netG_with_loss(torch.randn(6, 2))
    output.backward(gradient=torch.linspace(0.1, 0.6, 6).view(-1, 1))
    optimizerG.step()
    print('Loss_D: %.5f Loss_G: %.5f' % (errD.item(), output.mean().item()))
