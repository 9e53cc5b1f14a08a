import torch
from torch import nn, optim
from ortwrap.runtime import ort_module


class GeneratorWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, generator, discriminator, adversarial_loss):
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.adversarial_loss = adversarial_loss

    def forward(self, noise, real_imgs, average, valid):
        gen_imgs = self.generator(noise)
        real_pred = self.discriminator(real_imgs).detach()
        fake_pred = self.discriminator(gen_imgs)
        if average:
            g_loss = self.adversarial_loss(fake_pred - real_pred.mean(0, keepdim=True), valid)
        else:
            g_loss = self.adversarial_loss(fake_pred - real_pred, valid)
        # Relativistic only when asked for
        if not relativistic:
            g_loss = self.adversarial_loss(self.discriminator(gen_imgs), valid)
        return g_loss, gen_imgs.detach()


class DiscriminatorWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, discriminator, adversarial_loss):
        super().__init__()
        self.discriminator = discriminator
        self.adversarial_loss = adversarial_loss

    def compute_loss(self, real_pred, fake_pred, valid, fake):
        real_loss = self.adversarial_loss(real_pred - fake_pred.mean(0, keepdim=True), valid)
        fake_loss = self.adversarial_loss(fake_pred - real_pred.mean(0, keepdim=True), fake)
        return (real_loss + fake_loss) / 2

    def forward(self, real_imgs, gen_imgs, valid, fake):
        real_pred = self.discriminator(real_imgs)
        fake_pred = self.discriminator(gen_imgs)
        return self.compute_loss(real_pred, fake_pred, valid, fake)


torch.manual_seed(0)
relativistic, average = True, True
generator = nn.Linear(3, 4)
discriminator = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
optimizer_G = optim.SGD(generator.parameters(), lr=0.1)
optimizer_D = optim.SGD(discriminator.parameters(), lr=0.1)
adversarial_loss = nn.BCEWithLogitsLoss()

generator_with_loss = ort_module(
    GeneratorWithLoss, generator, discriminator, adversarial_loss
)
discriminator_with_loss = ort_module(DiscriminatorWithLoss, discriminator, adversarial_loss)
for i in range(4):
    average = i < 2
    real_imgs = torch.randn(5, 4)
    valid, fake = torch.ones(5, 1), torch.zeros(5, 1)
    optimizer_G.zero_grad()
    g_loss, gen_imgs = generator_with_loss(torch.randn(5, 3), real_imgs, average, valid)
    g_loss.backward()
    optimizer_G.step()

    optimizer_D.zero_grad()
    d_loss = discriminator_with_loss(real_imgs, gen_imgs.detach(), valid, fake)
    d_loss.backward()
    optimizer_D.step()
    print(f"{g_loss.item():.5f} {d_loss.item():.5f}")
