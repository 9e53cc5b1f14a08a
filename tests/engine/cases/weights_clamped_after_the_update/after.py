"""A Wasserstein critic: real and fake in one loss, weights clamped."""
import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, critic):
        super().__init__()
        self.critic = critic

    def forward(self, real_imgs, fake_imgs):
        return -torch.mean(self.critic(real_imgs)) + torch.mean(self.critic(fake_imgs))


torch.manual_seed(0)
critic = nn.Sequential(nn.Linear(4, 6), nn.LeakyReLU(0.2), nn.Linear(6, 1))
generator = nn.Linear(2, 4)
optimizer_D = torch.optim.RMSprop(critic.parameters(), lr=5e-3)

critic_with_loss = ort_module(ModuleWithLoss, critic)
for real_imgs in torch.randn(3, 5, 4):
    optimizer_D.zero_grad()
    z = torch.randn(5, 2)
    fake_imgs = generator(z).detach()
    # Adversarial loss
    loss_D = critic_with_loss(real_imgs, fake_imgs)
    loss_D.backward()
    optimizer_D.step()

    # Clip weights of critic
    for p in critic.parameters():
        p.data.clamp_(-0.05, 0.05)
    print(f"{loss_D.item():.5f}")
