"""Dive into Deep Learning's epoch: the losses of the samples are averaged or summed for the backward."""
import torch
from torch import nn
from ortwrap.runtime import ort_module


def accuracy(y_hat, y):
    return float((y_hat.argmax(axis=1) == y).sum())


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, net, loss):
        super().__init__()
        self.net = net
        self.loss = loss

    def compute_loss(self, y_hat, y):
        return self.loss(y_hat, y)

    def forward(self, X, y):
        y_hat = self.net(X)
        l = self.compute_loss(y_hat, y)
        return l, y_hat


def train_epoch(net, train_iter, loss, updater):
    net_with_loss = ort_module(ModuleWithLoss, net, loss)
    if isinstance(net, nn.Module):
        net.train()
    total, correct, seen = 0.0, 0.0, 0
    for X, y in train_iter:
        l, y_hat = net_with_loss(X, y)
        if isinstance(updater, torch.optim.Optimizer):
            updater.zero_grad()
            l.mean().backward()
            updater.step()
        else:
            l.sum().backward()
            updater(X.shape[0])
        total += float(l.sum())
        correct += accuracy(y_hat, y)
        seen += y.numel()
    return total / seen, correct / seen


def updater(batch_size):
    with torch.no_grad():
        for param in net.parameters():
            param -= 0.1 * param.grad / batch_size
            param.grad.zero_()


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(5, 3))
loss = nn.CrossEntropyLoss(reduction="none")
for trainer in (torch.optim.SGD(net.parameters(), lr=0.1), updater, updater):
    batches = [(torch.randn(4, 5), torch.randint(0, 3, (4,))) for _ in range(3)]
    print(train_epoch(net, batches, loss, trainer))
