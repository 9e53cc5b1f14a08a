"""Distillation in several kinds: the list holds the regressors that the kind needs, and no more."""
from argparse import Namespace

import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Linear(4, width)
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        features = self.body(x).tanh()
        return features, self.head(features)


def train_distill(loader, module_list, criterion_list, optimizer, opt):
    for module in module_list:
        module.train()
    module_list[-1].eval()
    criterion_cls, criterion_kd = criterion_list
    model_s = module_list[0]
    model_t = module_list[-1]

    for x, y in loader:
        feat_s, logit_s = model_s(x)
        with torch.no_grad():
            feat_t, logit_t = model_t(x)

        loss_cls = criterion_cls(logit_s, y)
        if opt.distill == 'kd':
            loss_kd = criterion_kd(logit_s, logit_t)
        elif opt.distill == 'hint':
            loss_kd = criterion_kd(module_list[1](feat_s), feat_t)
        elif opt.distill == 'correlation':
            f_s = module_list[1](feat_s)
            f_t = module_list[2](feat_t)
            loss_kd = criterion_kd(f_s, f_t)
        else:
            raise NotImplementedError(opt.distill)
        loss = loss_cls + opt.beta * loss_kd

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
