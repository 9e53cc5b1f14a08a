import numpy as np
import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
rng = np.random.RandomState(0)


def mixup_data(x, y, alpha=1.0):
    '''Returns mixed inputs, pairs of targets, and lambda'''
    lam = rng.beta(alpha, alpha)
    index = torch.randperm(x.size()[0])
    mixed_x = lam * x + (1 - lam) * x[index, :]
    return mixed_x, y, y[index], lam


def mixup_criterion(criterion, pred, y_a, y_b, lam):
    return lam * criterion(pred, y_a) + (1 - lam) * criterion(pred, y_b)


class ModuleWithLoss(nn.Module):
    '''Forward pass and loss of the training step, exported to ONNX Runtime as one graph.'''

    def __init__(self, net, criterion):
        super().__init__()
        self.net = net
        self.criterion = criterion

    def compute_loss(self, outputs, targets_a, targets_b, lam):
        return mixup_criterion(self.criterion, outputs, targets_a, targets_b, lam)

    def forward(self, inputs, targets_a, targets_b, lam):
        outputs = self.net(inputs)
        loss = self.compute_loss(outputs, targets_a, targets_b, lam)
        return loss, outputs


net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

net_with_loss = ort_module(ModuleWithLoss, net, criterion)
for inputs, targets in [(torch.randn(5, 6), torch.randint(0, 3, (5,))) for _ in range(8)]:
    inputs, targets_a, targets_b, lam = mixup_data(inputs, targets)
    loss, outputs = net_with_loss(inputs, targets_a, targets_b, lam)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    _, predicted = torch.max(outputs.data, 1)
    correct = (lam * predicted.eq(targets_a.data).sum().float()
               + (1 - lam) * predicted.eq(targets_b.data).sum().float())
    print(f"{loss.item():.5f} {correct.item():.4f}")
