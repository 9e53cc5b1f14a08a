"""A network that only an option makes, and that the loss asks only on that option."""
import torch
import torch.nn as nn
from ortwrap.runtime import ort_module


class Features(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 3, 3))

    def forward(self, image):
        return self.layers(image)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, features, criterion):
        super().__init__()
        self.model = model
        self.features = features
        self.criterion = criterion

    def forward(self, coarse, sharp, perceptual, weight):
        output = self.model(coarse)
        loss = self.criterion(output, sharp)
        if perceptual:
            loss = loss + weight * self.criterion(self.features(output), self.features(sharp))
        return loss


def train(perceptual, cuda, weight=0.1):
    torch.manual_seed(0)
    model = nn.Conv2d(1, 1, 3, padding=1)
    features = None
    if perceptual:
        features = Features()
        for parameter in features.parameters():
            parameter.requires_grad = False
    criterion = nn.MSELoss()
    if cuda:
        model = model.cuda()
        if perceptual:
            features = features.cuda()

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model_with_loss = ort_module(ModuleWithLoss, model, features, criterion)
    for step in range(3):
        coarse, sharp = torch.randn(2, 1, 8, 8), torch.randn(2, 1, 8, 8)
        loss = model_with_loss(coarse, sharp, perceptual, weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print("%.5f" % loss.item())


train(perceptual=False, cuda=False)
train(perceptual=True, cuda=False)
