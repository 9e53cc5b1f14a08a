"""CutMix as it was published: with a probability a batch is mixed, each branch with its own loss."""

import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from ortwrap.runtime import ort_module


def rand_bbox(size, lam):
    width, height = size[2], size[3]
    cut = np.sqrt(1.0 - lam)
    cut_w, cut_h = int(width * cut), int(height * cut)
    cx, cy = np.random.randint(width), np.random.randint(height)
    x1, y1 = np.clip(cx - cut_w // 2, 0, width), np.clip(cy - cut_h // 2, 0, height)
    x2, y2 = np.clip(cx + cut_w // 2, 0, width), np.clip(cy + cut_h // 2, 0, height)
    return x1, y1, x2, y2


def accuracy(output, target):
    return (output.argmax(dim=1) == target).float().mean().item()


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, output, target_a, lam, target_b):
        return self.criterion(output, target_a) * lam + self.criterion(output, target_b) * (1.0 - lam)

    def forward(self, input, target_a, lam, target_b):
        output = self.model(input)
        loss = self.compute_loss(output, target_a, lam, target_b)
        return loss, output.detach()


class ModelWithLoss2(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, output, target):
        return self.criterion(output, target)

    def forward(self, input, target):
        output = self.model(input)
        loss = self.compute_loss(output, target)
        return loss, output.detach()


def train(train_loader, model, criterion, optimizer, args):
    model_with_loss = ort_module(ModelWithLoss, model, criterion)
    model_with_loss2 = ort_module(ModelWithLoss2, model, criterion)
    model.train()
    losses, correct = [], []
    for i, (input, target) in enumerate(train_loader):
        r = np.random.rand(1)
        if args.beta > 0 and r < args.cutmix_prob:
            # generate mixed sample
            lam = np.random.beta(args.beta, args.beta)
            rand_index = torch.randperm(input.size()[0])
            target_a = target
            target_b = target[rand_index]
            bbx1, bby1, bbx2, bby2 = rand_bbox(input.size(), lam)
            input[:, :, bbx1:bbx2, bby1:bby2] = input[rand_index, :, bbx1:bbx2, bby1:bby2]
            # adjust lambda to exactly match pixel ratio
            lam = 1 - ((bbx2 - bbx1) * (bby2 - bby1) / (input.size()[-1] * input.size()[-2]))
            # compute output
            loss, output = model_with_loss(input, target_a, lam, target_b)
        else:
            # compute output
            loss, output = model_with_loss2(input, target)

        correct.append(accuracy(output.data, target))
        losses.append(loss.item())

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses, correct


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--beta", default=1.0, type=float)
    parser.add_argument("--cutmix_prob", default=0.5, type=float)
    args = parser.parse_args([])

    np.random.seed(0)
    torch.manual_seed(0)
    images, labels = torch.randn(48, 3, 8, 8), torch.randint(0, 4, (48,))
    train_loader = DataLoader(TensorDataset(images, labels), batch_size=6)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 4))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(2):
        losses, correct = train(train_loader, model, criterion, optimizer, args)
        print(epoch, sum(correct))


if __name__ == "__main__":
    main()
