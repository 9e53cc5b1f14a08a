"""The networks have the letters of the papers, and only their optimizers tell what they are."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class DWithLoss(nn.Module):
    """Forward pass and loss of `Training.train_D`, exported to ONNX Runtime as one graph."""

    def __init__(self, D, loss):
        super().__init__()
        self.D = D
        self.loss = loss

    def forward(self, fake_x, zeros, x, ones):
        fake_loss = self.loss(self.D(fake_x), zeros)
        real_loss = self.loss(self.D.forward(x), ones)
        loss_D = fake_loss + real_loss
        return loss_D, real_loss.detach()


class DWithLossG(nn.Module):
    """Forward pass and loss of `Training.train_G`, exported to ONNX Runtime as one graph."""

    def __init__(self, D, G, loss):
        super().__init__()
        self.D = D
        self.G = G
        self.loss = loss

    def compute_loss(self, fake_y, ones):
        return self.loss(fake_y, ones)

    def forward(self, z, ones):
        fake_y = self.D(self.G(z))
        return self.compute_loss(fake_y, ones)


class Training:
    def __init__(self, G, D, optim_G, optim_D, batch):
        self.G = G
        self.D = D
        self.optim_G = optim_G
        self.optim_D = optim_D
        self.loss = nn.MSELoss()
        self.ones = torch.ones(batch, 1)
        self.zeros = torch.zeros(batch, 1)

    def train_D(self, x, z):
        D_with_loss = ort_module(DWithLoss, self.D, self.loss)
        fake_x = self.G(z)
        loss_D, real_loss = D_with_loss(fake_x.detach(), self.zeros, x, self.ones)

        self.optim_D.zero_grad()
        loss_D.backward()
        self.optim_D.step()
        return {"loss_D": loss_D.item(), "real_loss": real_loss.item()}

    def train_G(self, z):
        D_with_loss_G = ort_module(DWithLossG, self.D, self.G, self.loss)
        loss_G = D_with_loss_G(z, self.ones)

        self.optim_G.zero_grad()
        loss_G.backward()
        self.optim_G.step()
        return {"loss_G": loss_G.item()}


def networks():
    return nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))


def main():
    made = networks()
    optimizers = [torch.optim.SGD(each.parameters(), lr=0.1) for each in made]
    training = Training(*made, *optimizers, 5)
    for step in range(3):
        print(training.train_D(torch.randn(5, 4), torch.randn(5, 3)))
        print(training.train_G(torch.randn(5, 3)))


if __name__ == "__main__":
    main()
