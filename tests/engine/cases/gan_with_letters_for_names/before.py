"""The networks have the letters of the papers, and only their optimizers tell what they are."""

import torch
from torch import nn

torch.manual_seed(0)


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
        fake_x = self.G(z)
        fake_loss = self.loss(self.D(fake_x.detach()), self.zeros)
        real_loss = self.loss(self.D.forward(x), self.ones)

        self.optim_D.zero_grad()
        loss_D = fake_loss + real_loss
        loss_D.backward()
        self.optim_D.step()
        return {"loss_D": loss_D.item(), "real_loss": real_loss.item()}

    def train_G(self, z):
        fake_y = self.D(self.G(z))

        self.optim_G.zero_grad()
        loss_G = self.loss(fake_y, self.ones)
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
