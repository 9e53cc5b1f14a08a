"""Trap: one method runs the generator, two others the discriminator and backward (pix2pix)."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class NetDWithLoss(nn.Module):
    """Forward pass and loss of `Pix2Pix.backward_D`, exported to ONNX Runtime as one graph."""

    def __init__(self, netD, gan_loss):
        super().__init__()
        self.netD = netD
        self.gan_loss = gan_loss

    def forward(self, fake_AB, real_A, real_B):
        pred_fake = self.netD(fake_AB)
        loss_D_fake = self.gan_loss(pred_fake, False)
        pred_real = self.netD(torch.cat((real_A, real_B), 1))
        loss_D_real = self.gan_loss(pred_real, True)
        loss_D = (loss_D_fake + loss_D_real) * 0.5
        return loss_D, loss_D_fake, loss_D_real


class NetDWithLossG(nn.Module):
    """Forward pass and loss of `Pix2Pix.backward_G`, exported to ONNX Runtime as one graph."""

    def __init__(self, netD, gan_loss, criterionL1):
        super().__init__()
        self.netD = netD
        self.gan_loss = gan_loss
        self.criterionL1 = criterionL1

    def forward(self, real_A, fake_B, real_B):
        pred_fake = self.netD(torch.cat((real_A, fake_B), 1))
        loss_G_GAN = self.gan_loss(pred_fake, True)
        loss_G_L1 = self.criterionL1(fake_B, real_B) * 10
        loss_G = loss_G_GAN + loss_G_L1
        return loss_G, loss_G_GAN, loss_G_L1.detach()


class Pix2Pix:
    def __init__(self):
        self.netG = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 6))
        self.netD = nn.Sequential(nn.Linear(12, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
        self.criterionGAN = nn.BCEWithLogitsLoss()
        self.criterionL1 = nn.L1Loss()
        self.optimizer_G = torch.optim.SGD(self.netG.parameters(), lr=0.1)
        self.optimizer_D = torch.optim.SGD(self.netD.parameters(), lr=0.1)

    def set_input(self, real_A, real_B):
        self.real_A, self.real_B = real_A, real_B

    def set_requires_grad(self, net, requires_grad):
        for p in net.parameters():
            p.requires_grad = requires_grad

    def gan_loss(self, prediction, real):
        target = torch.ones_like(prediction) if real else torch.zeros_like(prediction)
        return self.criterionGAN(prediction, target)

    def forward(self):
        self.fake_B = self.netG(self.real_A)

    def backward_D(self):
        netD_with_loss = ort_module(NetDWithLoss, self.netD, self.gan_loss)
        fake_AB = torch.cat((self.real_A, self.fake_B), 1)
        self.loss_D, self.loss_D_fake, self.loss_D_real = netD_with_loss(
            fake_AB.detach(), self.real_A, self.real_B
        )
        self.loss_D.backward()

    def backward_G(self):
        netD_with_loss_G = ort_module(
            NetDWithLossG, self.netD, self.gan_loss, self.criterionL1
        )
        self.loss_G, self.loss_G_GAN, self.loss_G_L1 = netD_with_loss_G(
            self.real_A, self.fake_B, self.real_B
        )
        self.loss_G.backward()

    def optimize_parameters(self):
        self.forward()
        self.set_requires_grad(self.netD, True)
        self.optimizer_D.zero_grad()
        self.backward_D()
        self.optimizer_D.step()
        self.set_requires_grad(self.netD, False)
        self.optimizer_G.zero_grad()
        self.backward_G()
        self.optimizer_G.step()


model = Pix2Pix()
for _ in range(5):
    model.set_input(torch.randn(4, 6), torch.randn(4, 6))
    model.optimize_parameters()
    print(model.loss_D.item(), model.loss_G.item(), model.loss_G_GAN.item())
