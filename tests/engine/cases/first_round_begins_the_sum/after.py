"""The loss of a loop begins with that of its first round, to which the others are added."""

import torch
from torch import nn
from ortwrap.runtime import ort_module


class NetWithLoss(nn.Module):
    """Forward pass and loss of `Learner.tune` and `train`.

    Exported to ONNX Runtime as one graph.
    """

    def __init__(self, net, criterion):
        super().__init__()
        self.net = net
        self.criterion = criterion

    def forward(self, image, mask):
        return self.criterion(self.net(image), mask)


class NetWithNewLoss(nn.Module):
    """Forward pass and loss of `Learner.tune`, exported to ONNX Runtime as one graph."""

    def __init__(self, net, criterion):
        super().__init__()
        self.net = net
        self.criterion = criterion

    def compute_loss(self, pred, mask, image_size):
        return self.criterion(pred, mask) * image_size

    def forward(self, image, mask, image_size):
        pred = self.net(image)
        return self.compute_loss(pred, mask, image_size)


class Learner:
    def __init__(self, net, criterion, optimizer, by_image):
        self.net = net
        self.criterion = criterion
        self.optimizer = optimizer
        self.by_image = by_image

    def tune(self, images, masks):
        net_with_loss = ort_module(NetWithLoss, self.net, self.criterion)
        net_with_new_loss = ort_module(NetWithNewLoss, self.net, self.criterion)
        self.net.train()
        if self.by_image:
            for image, mask in zip(images, masks):
                loss = net_with_loss(image, mask)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
        else:
            for i, (image, mask) in enumerate(zip(images, masks)):
                new_loss = net_with_new_loss(image, mask, image.size(0))
                # The first one is no sum yet.
                if i == 0:
                    loss = new_loss
                else:
                    loss += new_loss
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        return loss.item()


def train(net, criterion, optimizer, tasks):
    net_with_loss = ort_module(NetWithLoss, net, criterion)
    for images, masks in tasks:
        total = None
        for image, mask in zip(images, masks):
            task_loss = net_with_loss(image, mask)
            if total is None:
                total = task_loss
            else:
                total = total + task_loss
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        print(f"{total.item():.4f}")


torch.manual_seed(0)
tasks = []
for rounds in (3, 2, 3):
    images = [torch.randn(size, 6) for size in (4, 4, 3)[:rounds]]
    tasks.append((images, [torch.randint(0, 2, (len(image),)) for image in images]))
for by_image in (True, False):
    net = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 2))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    learner = Learner(net, nn.CrossEntropyLoss(), optimizer, by_image)
    for images, masks in tasks:
        print(f"{learner.tune(images, masks):.4f}")
train(net, nn.CrossEntropyLoss(), optimizer, tasks)
