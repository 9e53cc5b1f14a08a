"""Each term of the loss is optional, and noted in a dict that is logged once the step is done.

The criteria are made in a method, `None` for a term that is switched off.
"""

from collections import OrderedDict

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Model.optimize_parameters`.

    Exported to ONNX Runtime as one graph.
    """

    def __init__(self, net_g, cri_pix, cri_soft):
        super().__init__()
        self.net_g = net_g
        self.cri_pix = cri_pix
        self.cri_soft = cri_soft

    def forward(self, lq, gt):
        output = self.net_g(lq)
        l_total = 0
        loss_dict = OrderedDict()
        if self.cri_pix:
            l_pix = self.cri_pix(output, gt)
            l_total += l_pix
            loss_dict["l_pix"] = l_pix
        if self.cri_soft:
            l_soft = self.cri_soft(output, gt)
            l_total += l_soft
            loss_dict["l_soft"] = l_soft
        return l_total, output.detach(), loss_dict


class Model:
    def __init__(self, options):
        self.net_g = nn.Linear(4, 4)
        self.options = options
        if options["train"]:
            self.init_training_settings()

    def init_training_settings(self):
        self.cri_pix = nn.L1Loss() if self.options["pixel"] else None
        self.cri_soft = nn.SmoothL1Loss() if self.options["soft"] else None
        self.optimizer_g = torch.optim.Adam(self.net_g.parameters(), lr=0.01)

    def feed_data(self, lq, gt=None):
        self.lq = lq
        if gt is not None:
            self.gt = gt

    def optimize_parameters(self):
        net_g_with_loss = ort_module(
            ModuleWithLoss, self.net_g, self.cri_pix, self.cri_soft
        )
        self.optimizer_g.zero_grad()

        l_total, self.output, loss_dict = net_g_with_loss(
            self.lq, getattr(self, "gt", None)
        )

        l_total.backward()
        self.optimizer_g.step()
        self.log_dict = {name: value.mean().item() for name, value in loss_dict.items()}


for soft in (True, False):
    model = Model({"train": True, "pixel": True, "soft": soft})
    for _ in range(3):
        model.feed_data(torch.randn(2, 4), torch.randn(2, 4))
        model.optimize_parameters()
        print(model.log_dict)
