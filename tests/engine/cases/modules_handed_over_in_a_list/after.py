import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module


class DistillKL(nn.Module):
    """Distilling the Knowledge in a Neural Network"""

    def __init__(self, T):
        super(DistillKL, self).__init__()
        self.T = T

    def forward(self, y_s, y_t):
        p_s = F.log_softmax(y_s / self.T, dim=1)
        p_t = F.softmax(y_t / self.T, dim=1)
        return F.kl_div(p_s, p_t, reduction='sum') * (self.T**2) / y_s.shape[0]


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train_distill`, exported to ONNX Runtime as one graph."""

    def __init__(self, model_s, model_t, criterion_cls, criterion_div):
        super().__init__()
        self.model_s = model_s
        self.model_t = model_t
        self.criterion_cls = criterion_cls
        self.criterion_div = criterion_div

    def compute_loss(self, logit_s, target, logit_t, gamma, alpha):
        # cls + kl div
        loss_cls = self.criterion_cls(logit_s, target)
        loss_div = self.criterion_div(logit_s, logit_t)
        return gamma * loss_cls + alpha * loss_div

    def forward(self, input, target, gamma, alpha):
        logit_s = self.model_s(input)
        with torch.no_grad():
            logit_t = self.model_t(input)
        loss = self.compute_loss(logit_s, target, logit_t, gamma, alpha)
        return loss, logit_s.detach()


def train_distill(train_loader, module_list, criterion_list, optimizer, opt):
    """One epoch distillation"""
    # set modules as train()
    for module in module_list:
        module.train()
    # set teacher as eval()
    module_list[-1].eval()

    criterion_cls = criterion_list[0]
    criterion_div = criterion_list[1]

    model_s = module_list[0]
    model_t = module_list[-1]

    model_s_with_loss = ort_module(ModuleWithLoss, model_s, model_t, criterion_cls, criterion_div)
    for input, target in train_loader:
        loss, logit_s = model_s_with_loss(input, target, opt['gamma'], opt['alpha'])

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print('%.4f %d' % (loss.item(), (logit_s.argmax(1) == target).sum().item()))


def main():
    torch.manual_seed(0)
    student = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3))
    teacher = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.Linear(8, 3))
    module_list = nn.ModuleList([student, teacher])
    criterion_list = nn.ModuleList([nn.CrossEntropyLoss(), DistillKL(4)])
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    loader = [(torch.randn(5, 6), torch.randint(0, 3, (5,))) for _ in range(2)]
    for epoch in range(2):
        train_distill(loader, module_list, criterion_list, optimizer, {'gamma': 0.5, 'alpha': 0.9})


if __name__ == '__main__':
    main()
