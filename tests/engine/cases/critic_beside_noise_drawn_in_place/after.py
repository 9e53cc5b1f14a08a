"""A critic sees what is real, noise is drawn into its tensor in place, then what is made of it."""
import torch
import torch.nn as nn
from torch.autograd import Variable
from ortwrap.runtime import ort_module


class CriticWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, critic, generator):
        super().__init__()
        self.critic = critic
        self.generator = generator

    def forward(self, real, noise):
        loss_real = self.critic(real).mean()
        fake = Variable(self.generator(Variable(noise)).data)
        loss_fake = self.critic(fake).mean()
        return loss_fake - loss_real


class GeneratorWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, critic, generator):
        super().__init__()
        self.critic = critic
        self.generator = generator

    def forward(self, noise):
        return -self.critic(self.generator(Variable(noise))).mean()


torch.manual_seed(0)
nz, batch = 3, 5
generator = nn.Sequential(nn.Linear(nz, 8), nn.ReLU(True), nn.Linear(8, 4))
critic = nn.Sequential(nn.Linear(4, 6), nn.LeakyReLU(0.2), nn.Linear(6, 1))
noise = torch.FloatTensor(batch, nz)
optimizer_c = torch.optim.RMSprop(critic.parameters(), lr=0.01)
optimizer_g = torch.optim.RMSprop(generator.parameters(), lr=0.01)

critic_with_loss = ort_module(CriticWithLoss, critic, generator)
generator_with_loss = ort_module(GeneratorWithLoss, critic, generator)
for i, real in enumerate(torch.randn(4, batch, 4)):
    for p in critic.parameters():
        p.data.clamp_(-0.1, 0.1)

    critic.zero_grad()
    noise.resize_(batch, nz).normal_(0, 1)
    loss_c = critic_with_loss(real, noise)
    loss_c.backward()
    optimizer_c.step()

    if i % 2 == 0:
        generator.zero_grad()
        noise.resize_(batch, nz).normal_(0, 1)
        loss_g = generator_with_loss(noise)
        loss_g.backward()
        optimizer_g.step()
        print("%.4f %.4f" % (loss_c.item(), loss_g.item()))
