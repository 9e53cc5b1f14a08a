import torch
from torch import nn, optim

torch.manual_seed(0)
relativistic, average = True, True
generator = nn.Linear(3, 4)
discriminator = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
optimizer_G = optim.SGD(generator.parameters(), lr=0.1)
optimizer_D = optim.SGD(discriminator.parameters(), lr=0.1)
adversarial_loss = nn.BCEWithLogitsLoss()

for i in range(4):
    average = i < 2
    real_imgs = torch.randn(5, 4)
    valid, fake = torch.ones(5, 1), torch.zeros(5, 1)
    optimizer_G.zero_grad()
    gen_imgs = generator(torch.randn(5, 3))
    real_pred = discriminator(real_imgs).detach()
    fake_pred = discriminator(gen_imgs)
    if average:
        g_loss = adversarial_loss(fake_pred - real_pred.mean(0, keepdim=True), valid)
    else:
        g_loss = adversarial_loss(fake_pred - real_pred, valid)
    # Relativistic only when asked for
    if not relativistic:
        g_loss = adversarial_loss(discriminator(gen_imgs), valid)
    g_loss.backward()
    optimizer_G.step()

    optimizer_D.zero_grad()
    real_pred = discriminator(real_imgs)
    fake_pred = discriminator(gen_imgs.detach())
    real_loss = adversarial_loss(real_pred - fake_pred.mean(0, keepdim=True), valid)
    fake_loss = adversarial_loss(fake_pred - real_pred.mean(0, keepdim=True), fake)
    d_loss = (real_loss + fake_loss) / 2
    d_loss.backward()
    optimizer_D.step()
    print(f"{g_loss.item():.5f} {d_loss.item():.5f}")
