"""CutMix of a batch that was moved first; behind both branches penalties of features and weights."""

import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from ortwrap.runtime import ort_module


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(256, 4)

    def forward(self, images):
        features = self.body(images)
        return self.head(features), features


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, lam, logits, labels, order):
        return lam * self.criterion(logits, labels) + (1 - lam) * self.criterion(logits, labels[order])

    def forward(self, images, lam, labels, order):
        logits, features = self.model(images)
        loss = self.compute_loss(lam, logits, labels, order)
        return loss, logits.detach(), features


class ModelWithLoss2(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, logits, labels):
        return self.criterion(logits, labels)

    def forward(self, images, labels):
        logits, features = self.model(images)
        loss = self.compute_loss(logits, labels)
        return loss, logits.detach(), features


def train(loader, model, criterion, optimizer, device, args):
    model_with_loss = ort_module(ModelWithLoss, model, criterion)
    model_with_loss2 = ort_module(ModelWithLoss2, model, criterion)
    model.train()
    total, correct, step = 0.0, 0, 0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        warmth = min(1.0, step / 10)
        if args.beta > 0 and np.random.rand() < args.cutmix_prob:
            lam = np.random.beta(args.beta, args.beta)
            order = torch.randperm(images.size(0))
            height = int(images.size(2) * (1 - lam))
            images[:, :, :height] = images[order, :, :height]
            lam = 1 - height / images.size(2)
            loss, logits, features = model_with_loss(images, lam, labels, order)
        else:
            loss, logits, features = model_with_loss2(images, labels)
        loss = loss + warmth * 0.01 * features.pow(2).mean()
        norms = 0
        for name, parameter in model.named_parameters():
            if "weight" in name:
                norms = norms + parameter.norm(2)
        loss = loss + args.weight_penalty * norms

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        correct += (logits.argmax(dim=1) == labels).sum().item()
        step += 1
    return total, correct


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--beta", default=1.0, type=float)
    parser.add_argument("--cutmix_prob", default=0.5, type=float)
    parser.add_argument("--weight_penalty", default=1e-3, type=float)
    args = parser.parse_args([])

    np.random.seed(0)
    torch.manual_seed(0)
    images, labels = torch.randn(48, 3, 8, 8), torch.randint(0, 4, (48,))
    loader = DataLoader(TensorDataset(images, labels), batch_size=6)
    model = Net()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(2):
        total, correct = train(loader, model, criterion, optimizer, torch.device("cpu"), args)
        print(epoch, f"{total:.3f}", correct)


if __name__ == "__main__":
    main()
