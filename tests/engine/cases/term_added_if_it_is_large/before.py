import torch
import torch.nn as nn

torch.manual_seed(0)
discriminator = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 4))
pixelwise_loss = nn.MSELoss()
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=0.02)
margin = 1.3

for i in range(6):
    real_imgs, gen_imgs = torch.randn(5, 4), 0.2 * i * torch.randn(5, 4)
    optimizer_D.zero_grad()

    # Measure discriminator's ability to classify real from generated samples
    real_recon = discriminator(real_imgs)
    fake_recon = discriminator(gen_imgs)

    d_loss_real = pixelwise_loss(real_recon, real_imgs)
    d_loss_fake = pixelwise_loss(fake_recon, gen_imgs.detach())

    d_loss = d_loss_real
    if (margin - d_loss_fake.data).item() > 0:
        d_loss += margin - d_loss_fake

    d_loss.backward()
    optimizer_D.step()
    print("[D loss: %f] [real: %f]" % (d_loss.item(), d_loss_real.item()))
