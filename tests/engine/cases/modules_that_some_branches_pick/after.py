"""Distillation in several kinds: the list holds the regressors that the kind needs, and no more."""
from argparse import Namespace

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Linear(4, width)
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        features = self.body(x).tanh()
        return features, self.head(features)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train_distill`, exported to ONNX Runtime as one graph."""

    def __init__(
        self, model_s, model_t, module_list_1, module_list_2, criterion_cls, criterion_kd
    ):
        super().__init__()
        self.model_s = model_s
        self.model_t = model_t
        self.module_list_1 = module_list_1
        self.module_list_2 = module_list_2
        self.criterion_cls = criterion_cls
        self.criterion_kd = criterion_kd

    def forward(self, x, y, distill, beta):
        feat_s, logit_s = self.model_s(x)
        with torch.no_grad():
            feat_t, logit_t = self.model_t(x)
        loss_cls = self.criterion_cls(logit_s, y)
        if distill == 'kd':
            loss_kd = self.criterion_kd(logit_s, logit_t)
        elif distill == 'hint':
            loss_kd = self.criterion_kd(self.module_list_1(feat_s), feat_t)
        elif distill == 'correlation':
            f_s = self.module_list_1(feat_s)
            f_t = self.module_list_2(feat_t)
            loss_kd = self.criterion_kd(f_s, f_t)
        else:
            raise NotImplementedError(distill)
        return loss_cls + beta * loss_kd


def train_distill(loader, module_list, criterion_list, optimizer, opt):
    for module in module_list:
        module.train()
    module_list[-1].eval()
    criterion_cls, criterion_kd = criterion_list
    model_s = module_list[0]
    model_t = module_list[-1]

    model_s_with_loss = ort_module(
        ModuleWithLoss,
        model_s,
        model_t,
        module_list[1] if opt.distill in ('hint', 'correlation') else None,
        module_list[2] if opt.distill == 'correlation' else None,
        criterion_cls,
        criterion_kd,
    )
    for x, y in loader:
        loss = model_s_with_loss(x, y, opt.distill, opt.beta)

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{opt.distill} {loss.item():.5f}")


batches = [(torch.randn(6, 4), torch.randint(0, 3, (6,))) for _ in range(3)]
criteria = nn.ModuleList([nn.CrossEntropyLoss(), nn.MSELoss()])
for kind, added in (
    ('kd', []),
    ('hint', [nn.Linear(5, 7)]),
    ('correlation', [nn.Linear(5, 2), nn.Linear(7, 2)]),
):
    modules = [Net(5), *added, Net(7)]
    trained = [parameter for module in modules[:-1] for parameter in module.parameters()]
    sgd = torch.optim.SGD(trained, lr=0.1)
    train_distill(batches, modules, criteria, sgd, Namespace(distill=kind, beta=0.5))
