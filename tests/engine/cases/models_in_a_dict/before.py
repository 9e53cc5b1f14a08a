import torch
from torch import nn, optim

torch.manual_seed(0)


class Trainer:
    def __init__(self, nets, lr):
        self.nets = nets
        self.optimizers = {name: optim.SGD(net.parameters(), lr=lr) for name, net in nets.items()}

    def train_step(self, real):
        for net in self.nets.values():
            net.train()
        noise = torch.randn(real.size(0), 3)
        fake = self.nets["generator"](noise)
        d_loss = self.nets["critic"](fake.detach()).mean() - self.nets["critic"](real).mean()
        self.optimizers["critic"].zero_grad()
        d_loss.backward()
        self.optimizers["critic"].step()

        g_loss = -self.nets["critic"](self.nets["generator"](noise)).mean()
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
