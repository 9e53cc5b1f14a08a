"""Each term of the loss is optional, and noted in a dict that is logged once the step is done.

The criteria are made in a method, `None` for a term that is switched off.
"""

from collections import OrderedDict

import torch
from torch import nn

torch.manual_seed(0)


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
        self.optimizer_g.zero_grad()
        self.output = self.net_g(self.lq)

        l_total = 0
        loss_dict = OrderedDict()
        if self.cri_pix:
            l_pix = self.cri_pix(self.output, self.gt)
            l_total += l_pix
            loss_dict["l_pix"] = l_pix
        if self.cri_soft:
            l_soft = self.cri_soft(self.output, self.gt)
            l_total += l_soft
            loss_dict["l_soft"] = l_soft

        l_total.backward()
        self.optimizer_g.step()
        self.log_dict = {name: value.mean().item() for name, value in loss_dict.items()}


for soft in (True, False):
    model = Model({"train": True, "pixel": True, "soft": soft})
    for _ in range(3):
        model.feed_data(torch.randn(2, 4), torch.randn(2, 4))
        model.optimize_parameters()
        print(model.log_dict)
