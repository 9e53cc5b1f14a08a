import torch
from torch import nn, optim
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class CriticWithLoss(nn.Module):
    """Forward pass and loss of `Trainer.train_step`, exported to ONNX Runtime as one graph."""

    def __init__(self, critic):
        super().__init__()
        self.critic = critic

    def forward(self, fake, real):
        return self.critic(fake).mean() - self.critic(real).mean()


class CriticWithGLoss(nn.Module):
    """Forward pass and loss of `Trainer.train_step`, exported to ONNX Runtime as one graph."""

    def __init__(self, critic, generator):
        super().__init__()
        self.critic = critic
        self.generator = generator

    def forward(self, noise):
        return -self.critic(self.generator(noise)).mean()


class Trainer:
    def __init__(self, nets, lr):
        self.nets = nets
        self.optimizers = {name: optim.SGD(net.parameters(), lr=lr) for name, net in nets.items()}

    def train_step(self, real):
        critic_with_loss = ort_module(CriticWithLoss, self.nets["critic"])
        critic_with_g_loss = ort_module(
            CriticWithGLoss, self.nets["critic"], self.nets["generator"]
        )
        for net in self.nets.values():
            net.train()
        noise = torch.randn(real.size(0), 3)
        fake = self.nets["generator"](noise)
        d_loss = critic_with_loss(fake.detach(), real)
        self.optimizers["critic"].zero_grad()
        d_loss.backward()
        self.optimizers["critic"].step()

        g_loss = critic_with_g_loss(noise)
        self.optimizers["generator"].zero_grad()
        g_loss.backward()
        self.optimizers["generator"].step()
        return d_loss.item(), g_loss.item()


pieces = {}
pieces["generator"] = nn.Linear(3, 4)
pieces["critic"] = nn.Linear(4, 1)
trainer = Trainer(pieces, lr=0.1)
for _ in range(4):
    print("%.5f %.5f" % trainer.train_step(torch.randn(2, 4)))
