"""VITS's loop: the generator runs in the scope of the discriminator's loss, for both of the losses."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.amp import autocast
from ortwrap.runtime import ort_module


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(6, 8)

    def forward(self, spec):
        wave = self.mix(spec)
        starts = torch.arange(spec.shape[0]) % 4
        return wave, starts


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 6), nn.Linear(6, 1)

    def forward(self, y, y_hat):
        real, fake = F.relu(self.first(y)), F.relu(self.first(y_hat))
        return self.last(real), self.last(fake), real, fake


def slice_segments(x, starts, size=4):
    return torch.stack([x[i, starts[i] : starts[i] + size] for i in range(x.shape[0])])


def discriminator_loss(real, fake):
    r_loss, g_loss = torch.mean((1 - real) ** 2), torch.mean(fake**2)
    return r_loss + g_loss, r_loss.item(), g_loss.item()


class NetDWithLoss(nn.Module):
    """Forward pass and loss of `train_and_evaluate`, exported to ONNX Runtime as one graph."""

    def __init__(self, net_d):
        super().__init__()
        self.net_d = net_d

    def forward(self, y, y_hat):
        y_d_hat_r, y_d_hat_g, _, _ = self.net_d(y, y_hat)
        with autocast("cpu", enabled=False):
            loss_disc, loss_disc_r, loss_disc_g = discriminator_loss(y_d_hat_r, y_d_hat_g)
        return loss_disc, loss_disc_g


class NetDWithLossGenAll(nn.Module):
    """Forward pass and loss of `train_and_evaluate`, exported to ONNX Runtime as one graph."""

    def __init__(self, net_d):
        super().__init__()
        self.net_d = net_d

    def forward(self, y, y_hat, y_mel):
        y_d_hat_r, y_d_hat_g, fmap_r, fmap_g = self.net_d(y, y_hat)
        with autocast("cpu", enabled=False):
            loss_mel = F.l1_loss(y_mel, y_hat.abs()) * 4.5
            loss_fm = F.l1_loss(fmap_r.detach(), fmap_g)
            loss_gen = torch.mean((1 - y_d_hat_g) ** 2)
            loss_gen_all = loss_gen + loss_fm + loss_mel
        return loss_gen_all, loss_mel, loss_fm, loss_gen


def train_and_evaluate(epoch, nets, optims, loader):
    net_g, net_d = nets
    optim_g, optim_d = optims
    net_g.train()
    net_d.train()
    net_d_with_loss = ort_module(NetDWithLoss, net_d)
    net_d_with_loss_gen_all = ort_module(NetDWithLossGenAll, net_d)
    for batch_idx, (spec, y) in enumerate(loader):
        with autocast("cpu", enabled=False):
            y_hat, ids_slice = net_g(spec)
            y_mel = slice_segments(y, ids_slice).abs()
            y_hat = slice_segments(y_hat, ids_slice)
            y = slice_segments(y, ids_slice)

            # Discriminator
            loss_disc, loss_disc_g = net_d_with_loss(y, y_hat.detach())
        optim_d.zero_grad()
        loss_disc.backward()
        optim_d.step()

        with autocast("cpu", enabled=False):
            # Generator
            loss_gen_all, loss_mel, loss_fm, loss_gen = net_d_with_loss_gen_all(
                y, y_hat, y_mel
            )
        optim_g.zero_grad()
        loss_gen_all.backward()
        optim_g.step()

        losses = [loss_disc, loss_gen, loss_fm, loss_mel]
        print(epoch, batch_idx, [round(x.item(), 5) for x in losses], round(loss_disc_g, 5))


torch.manual_seed(0)
nets = Generator(), Discriminator()
optims = [torch.optim.AdamW(net.parameters(), lr=0.01) for net in nets]
loader = [(torch.randn(5, 6), torch.randn(5, 8)) for _ in range(4)]
for epoch in range(2):
    train_and_evaluate(epoch, nets, optims, loader)
