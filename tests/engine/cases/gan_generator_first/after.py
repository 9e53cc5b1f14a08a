import torch
from torch import nn
from ortwrap.runtime import ort_module


class GeneratorWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, generator, discriminator, adversarial_loss):
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.adversarial_loss = adversarial_loss

    def forward(self, z, valid):
        gen_imgs = self.generator(z)
        g_loss = self.adversarial_loss(self.discriminator(gen_imgs), valid)
        return g_loss, gen_imgs.detach()


class DiscriminatorWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, discriminator, adversarial_loss):
        super().__init__()
        self.discriminator = discriminator
        self.adversarial_loss = adversarial_loss

    def forward(self, imgs, valid, gen_imgs, fake):
        real_loss = self.adversarial_loss(self.discriminator(imgs), valid)
        fake_loss = self.adversarial_loss(self.discriminator(gen_imgs), fake)
        return (real_loss + fake_loss) / 2


torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 6), nn.Tanh())
discriminator = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Sigmoid())
adversarial_loss = nn.BCELoss()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=0.01, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=0.01, betas=(0.5, 0.999))

generator_with_loss = ort_module(GeneratorWithLoss, generator, discriminator, adversarial_loss)
discriminator_with_loss = ort_module(DiscriminatorWithLoss, discriminator, adversarial_loss)
for i, imgs in enumerate(torch.randn(3, 5, 6)):
    # Adversarial ground truths
    valid = torch.ones(imgs.size(0), 1)
    fake = torch.zeros(imgs.size(0), 1)

    #  Train Generator
    optimizer_G.zero_grad()
    z = torch.randn(imgs.shape[0], 3)
    # Loss measures generator's ability to fool the discriminator
    g_loss, gen_imgs = generator_with_loss(z, valid)
    g_loss.backward()
    optimizer_G.step()

    #  Train Discriminator
    optimizer_D.zero_grad()
    d_loss = discriminator_with_loss(imgs, valid, gen_imgs.detach(), fake)
    d_loss.backward()
    optimizer_D.step()
    print("[Batch %d] [D loss: %.5f] [G loss: %.5f]" % (i, d_loss.item(), g_loss.item()))
