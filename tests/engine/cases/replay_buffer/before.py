import random

import torch
from torch import nn, optim

torch.manual_seed(0)


class ReplayBuffer:
    def __init__(self, size=4):
        self.size = size
        self.data = []

    def push_and_pop(self, images):
        out = []
        for image in images.detach():
            image = image.unsqueeze(0)
            if len(self.data) < self.size:
                self.data.append(image)
                out.append(image)
            elif random.uniform(0, 1) > 0.5:
                i = random.randint(0, self.size - 1)
                out.append(self.data[i].clone())
                self.data[i] = image
            else:
                out.append(image)
        return torch.cat(out)


G, D = nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 4), nn.LeakyReLU(), nn.Linear(4, 1))
optimizer_G = optim.SGD(G.parameters(), lr=0.1)
optimizer_D = optim.SGD(D.parameters(), lr=0.1)
criterion_GAN = nn.MSELoss()
fake_buffer, other_buffer = ReplayBuffer(), ReplayBuffer(2)

for _ in range(6):
    z, real = torch.randn(3, 3), torch.randn(3, 4)
    valid, fake = torch.ones(3, 1), torch.zeros(3, 1)

    generated = G(z)
    loss_G = criterion_GAN(D(generated), valid)
    optimizer_G.zero_grad()
    loss_G.backward()
    optimizer_G.step()

    optimizer_D.zero_grad()
    # Real loss
    loss_real = criterion_GAN(D(real), valid)
    # Fake loss (on batch of previously generated samples)
    generated = fake_buffer.push_and_pop(generated)
    loss_fake = criterion_GAN(D(generated.detach()), fake)
    # Total loss
    loss_D = (loss_real + loss_fake) / 2
    loss_D.backward()
    optimizer_D.step()
    print(f"{loss_G.item():.5f} {loss_D.item():.5f}")
