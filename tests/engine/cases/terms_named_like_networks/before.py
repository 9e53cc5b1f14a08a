"""Trap: `l_g_gan` is a term of the loss and `cri_gan` a criterion, though their names end in gan.

The generator runs at every step, and its loss is computed at some.
"""

import torch
from torch import nn

torch.manual_seed(0)
LOSSES = {"pixel": nn.L1Loss, "gan": nn.BCEWithLogitsLoss}


def build_loss(kind):
    return LOSSES[kind]()


class SRModel:
    def __init__(self):
        self.net_g = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6))
        self.net_d = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
        self.cri_pix = build_loss("pixel")
        self.cri_gan = build_loss("gan")
        self.optimizer_g = torch.optim.SGD(self.net_g.parameters(), lr=0.1)

    def optimize_parameters(self, step, lq, gt):
        self.optimizer_g.zero_grad()
        self.output = self.net_g(lq)
        l_g_total = 0
        if step % 2 == 0:
            if self.cri_pix:
                l_g_total += self.cri_pix(self.output, gt)
            fake_g_pred = self.net_d(self.output)
            l_g_gan = self.cri_gan(fake_g_pred, torch.ones(5, 1))
            l_g_total += l_g_gan
            l_g_total.backward()
            self.optimizer_g.step()


model = SRModel()
for step in range(6):
    model.optimize_parameters(step, torch.randn(5, 4), torch.randn(5, 6))
    print(model.output.sum().item())
