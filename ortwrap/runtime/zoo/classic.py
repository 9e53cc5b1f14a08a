"""Convolutional networks of before ResNet, in the shapes of torchvision's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .model import Classified, Model, Update, images


def alexnet() -> nn.Module:
    """AlexNet, narrower, for pictures of 63x63: large strides, dropout before wide layers."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 11, 4, 2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(16, 32, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d((6, 6)),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(32 * 36, 64),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(64, 64),
        nn.ReLU(inplace=True),
        nn.Linear(64, 10),
    )


def vgg(normalized: bool) -> nn.Module:
    """VGG of five convolutions, with BatchNorm or without."""
    layers: list[nn.Module] = []
    before = 3
    for width in (8, 0, 16, 0, 32, 32, 0, 32, 0):
        if not width:
            layers.append(nn.MaxPool2d(2, 2))
            continue
        layers.append(nn.Conv2d(before, width, 3, padding=1))
        layers += [nn.BatchNorm2d(width)] if normalized else []
        layers.append(nn.ReLU(inplace=True))
        before = width
    layers += [nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.Dropout(), nn.Linear(64, 10))


class Fire(nn.Module):
    """The block of SqueezeNet: few channels, then many by kernels of two sizes."""

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.squeeze(x))
        sides = [self.activation(self.expand1x1(x)), self.activation(self.expand3x3(x))]
        return torch.cat(sides, 1)


def squeezenet() -> nn.Module:
    """SqueezeNet 1.1, shorter: pools that round up, and a convolution as the last layer."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(16, 8, 16),
        Fire(32, 8, 16),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(32, 12, 24),
        nn.Dropout(0.5),
        nn.Conv2d(48, 10, 1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten(),
    )


_CLASSIFIED = (Update(Classified),)

MODELS = (
    Model("AlexNet", alexnet, images(63), _CLASSIFIED),
    Model("VGG", lambda: vgg(normalized=False), images(32), _CLASSIFIED),
    Model("VGG with BatchNorm", lambda: vgg(normalized=True), images(32), _CLASSIFIED),
    Model("SqueezeNet", squeezenet, images(32), _CLASSIFIED),
)
