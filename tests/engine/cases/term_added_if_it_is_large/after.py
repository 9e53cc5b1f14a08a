import torch
import torch.nn as nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, discriminator, pixelwise_loss):
        super().__init__()
        self.discriminator = discriminator
        self.pixelwise_loss = pixelwise_loss

    def forward(self, real_imgs, gen_imgs, gen_imgs_detached):
        real_recon = self.discriminator(real_imgs)
        fake_recon = self.discriminator(gen_imgs)
        d_loss_real = self.pixelwise_loss(real_recon, real_imgs)
        d_loss_fake = self.pixelwise_loss(fake_recon, gen_imgs_detached)
        d_loss = d_loss_real
        return d_loss, d_loss_real.detach(), d_loss_fake


torch.manual_seed(0)
discriminator = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 4))
pixelwise_loss = nn.MSELoss()
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=0.02)
margin = 1.3

discriminator_with_loss = ort_module(ModuleWithLoss, discriminator, pixelwise_loss)
for i in range(6):
    real_imgs, gen_imgs = torch.randn(5, 4), 0.2 * i * torch.randn(5, 4)
    optimizer_D.zero_grad()

    # Measure discriminator's ability to classify real from generated samples
    d_loss, d_loss_real, d_loss_fake = discriminator_with_loss(
        real_imgs, gen_imgs, gen_imgs.detach()
    )
    if (margin - d_loss_fake.data).item() > 0:
        d_loss += margin - d_loss_fake

    d_loss.backward()
    optimizer_D.step()
    print("[D loss: %f] [real: %f]" % (d_loss.item(), d_loss_real.item()))
