"""A Wasserstein critic: real and fake in one loss, weights clamped."""
import torch
from torch import nn

torch.manual_seed(0)
critic = nn.Sequential(nn.Linear(4, 6), nn.LeakyReLU(0.2), nn.Linear(6, 1))
generator = nn.Linear(2, 4)
optimizer_D = torch.optim.RMSprop(critic.parameters(), lr=5e-3)

for real_imgs in torch.randn(3, 5, 4):
    optimizer_D.zero_grad()
    z = torch.randn(5, 2)
    fake_imgs = generator(z).detach()
    # Adversarial loss
    loss_D = -torch.mean(critic(real_imgs)) + torch.mean(critic(fake_imgs))
    loss_D.backward()
    optimizer_D.step()

    # Clip weights of critic
    for p in critic.parameters():
        p.data.clamp_(-0.05, 0.05)
    print(f"{loss_D.item():.5f}")
