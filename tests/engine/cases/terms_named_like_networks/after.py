"""Trap: `l_g_gan` is a term of the loss and `cri_gan` a criterion, though their names end in gan.

The generator runs at every step, and its loss is computed at some.
"""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
LOSSES = {"pixel": nn.L1Loss, "gan": nn.BCEWithLogitsLoss}


def build_loss(kind):
    return LOSSES[kind]()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `SRModel.optimize_parameters`.

    Exported to ONNX Runtime as one graph.
    """

    def __init__(self, net_d, cri_pix, cri_gan):
        super().__init__()
        self.net_d = net_d
        self.cri_pix = cri_pix
        self.cri_gan = cri_gan

    def forward(self, l_g_total, output, gt):
        if self.cri_pix:
            l_g_total += self.cri_pix(output, gt)
        fake_g_pred = self.net_d(output)
        l_g_gan = self.cri_gan(fake_g_pred, torch.ones(5, 1))
        l_g_total += l_g_gan
        return l_g_total


class SRModel:
    def __init__(self):
        self.net_g = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6))
        self.net_d = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
        self.cri_pix = build_loss("pixel")
        self.cri_gan = build_loss("gan")
        self.optimizer_g = torch.optim.SGD(self.net_g.parameters(), lr=0.1)

    def optimize_parameters(self, step, lq, gt):
        net_d_with_loss = ort_module(
            ModuleWithLoss, self.net_d, self.cri_pix, self.cri_gan
        )
        self.optimizer_g.zero_grad()
        self.output = self.net_g(lq)
        l_g_total = 0
        if step % 2 == 0:
            l_g_total = net_d_with_loss(l_g_total, self.output, gt)
            l_g_total.backward()
            self.optimizer_g.step()


model = SRModel()
for step in range(6):
    model.optimize_parameters(step, torch.randn(5, 4), torch.randn(5, 6))
    print(model.output.sum().item())
