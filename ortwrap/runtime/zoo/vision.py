"""Convolutional networks and vision transformers, in the shapes of torchvision's."""

from __future__ import annotations

from typing import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .model import Batch, Classified, Model, Update, batch_size, images


class Bottleneck(nn.Module):
    """The residual block of ResNet-50."""

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        out = 4 * width
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += self.downsample(x)
        return self.relu(out)  # type: ignore[no-any-return]


class BasicBlock(nn.Module):
    """The residual block of ResNet-18."""

    def __init__(self, channels: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


def _resnet(*blocks: nn.Module, channels: int) -> nn.Module:
    stem = (nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True))
    head = (nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(channels, 10))
    network = nn.Sequential(*stem, nn.MaxPool2d(3, 2, 1), *blocks, *head)
    network.apply(_begin)
    return network


def _begin(module: nn.Module) -> None:
    """Initializes a layer as Goyal et al. (2017) do: each residual block begins as the identity."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, BasicBlock):
        nn.init.zeros_(module.bn2.weight)
    elif isinstance(module, Bottleneck):
        nn.init.zeros_(module.bn3.weight)


def resnet18() -> nn.Module:
    """ResNet-18, four times narrower."""
    widths = (16, 16, 32, 32, 64, 64, 128, 128)
    before = (16, *widths)
    blocks = [
        BasicBlock(before[index], width, 2 if index in (2, 4, 6) else 1)
        for index, width in enumerate(widths)
    ]
    return _resnet(*blocks, channels=128)


def resnet50() -> nn.Module:
    """The blocks of ResNet-50, two of each stage."""
    blocks = [Bottleneck(16, 8), Bottleneck(32, 8)]
    blocks += [Bottleneck(32, 16, 2), Bottleneck(64, 16), Bottleneck(64, 32, 2)]
    return _resnet(*blocks, channels=128)


class SqueezeExcitation(nn.Module):
    """Weighs the channels by what they hold on average."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, channels // 4, 1)
        self.fc2 = nn.Conv2d(channels // 4, channels, 1)
        self.activation, self.scale_activation = nn.ReLU(), nn.Hardsigmoid()

    def forward(self, x: Tensor) -> Tensor:
        scale = self.activation(self.fc1(self.avgpool(x)))
        return self.scale_activation(self.fc2(scale)) * x  # type: ignore[no-any-return]


class InvertedResidual(nn.Module):
    """The block of MobileNetV3."""

    def __init__(self, channels: int, expanded: int, out: int, stride: int, hard: bool) -> None:
        super().__init__()
        activation = nn.Hardswish if hard else nn.ReLU
        self.block = nn.Sequential(
            nn.Conv2d(channels, expanded, 1, bias=False),
            nn.BatchNorm2d(expanded, eps=0.001, momentum=0.01),
            activation(inplace=True),
            nn.Conv2d(expanded, expanded, 5, stride, 2, groups=expanded, bias=False),
            nn.BatchNorm2d(expanded, eps=0.001, momentum=0.01),
            activation(inplace=True),
            SqueezeExcitation(expanded),
            nn.Conv2d(expanded, out, 1, bias=False),
            nn.BatchNorm2d(out, eps=0.001, momentum=0.01),
        )
        self.adds = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.block(x)
        return result + x if self.adds else result


def mobilenet_v3() -> nn.Module:
    """MobileNetV3, small and shorter, with its dropout."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1, bias=False),
        nn.BatchNorm2d(16, eps=0.001, momentum=0.01),
        nn.Hardswish(inplace=True),
        InvertedResidual(16, 16, 16, 2, False),
        InvertedResidual(16, 64, 24, 2, False),
        InvertedResidual(24, 88, 24, 1, True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(24, 64),
        nn.Hardswish(inplace=True),
        nn.Dropout(0.2, inplace=True),
        nn.Linear(64, 10),
    )


class EncoderBlock(nn.Module):
    """The block of torchvision's ViT."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(width, 4, dropout=0.1, batch_first=True)
        self.dropout = nn.Dropout(0.1)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * width, width)
        )

    def forward(self, input: Tensor) -> Tensor:
        x = self.ln_1(input)
        x, _ = self.self_attention(x, x, x, need_weights=False)
        x = self.dropout(x) + input
        return x + self.mlp(self.ln_2(x))  # type: ignore[no-any-return]


class VisionTransformer(nn.Module):
    """torchvision's ViT: patches, a class token, an encoder."""

    def __init__(self, width: int = 32, patch: int = 8, size: int = 32) -> None:
        super().__init__()
        self.conv_proj = nn.Conv2d(3, width, patch, patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        length = (size // patch) ** 2 + 1
        self.pos_embedding = nn.Parameter(torch.empty(1, length, width).normal_(std=0.02))
        self.layers = nn.Sequential(*(EncoderBlock(width) for _ in range(3)))
        self.ln = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        x = self.conv_proj(x)
        x = x.reshape(n, x.shape[1], -1).permute(0, 2, 1)
        x = torch.cat([self.class_token.expand(n, -1, -1), x], dim=1)
        x = self.ln(self.layers(x + self.pos_embedding))
        return self.head(x[:, 0])  # type: ignore[no-any-return]


class ConvNextBlock(nn.Module):
    """A depthwise convolution and a perceptron over channels, scaled by a parameter."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.expand, self.project = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.layer_scale = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.layer_scale * self.project(F.gelu(self.expand(y)))
        return x + y.permute(0, 3, 1, 2)  # type: ignore[no-any-return]


def convnext() -> nn.Module:
    """ConvNeXt, two blocks."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 4, 4),
        ConvNextBlock(16),
        nn.Conv2d(16, 32, 2, 2),
        ConvNextBlock(32),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.LayerNorm(32),
        nn.Linear(32, 10),
    )


class DoubleConv(nn.Sequential):
    """Twice a convolution, BatchNorm and ReLU."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(
            nn.Conv2d(channels, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(inplace=True),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    """U-Net of three levels; sizes that do not divide are padded on the way up."""

    def __init__(self, bilinear: bool) -> None:
        super().__init__()
        self.inside = DoubleConv(3, 8)
        self.down1, self.down2 = DoubleConv(8, 16), DoubleConv(16, 16 if bilinear else 32)
        if bilinear:
            self.up1: nn.Module = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.up2: nn.Module = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        else:
            self.up1, self.up2 = nn.ConvTranspose2d(32, 16, 2, 2), nn.ConvTranspose2d(16, 8, 2, 2)
        self.conv1, self.conv2 = DoubleConv(32, 16), DoubleConv(24 if bilinear else 16, 8)
        self.out = nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x1 = self.inside(x)
        x2 = self.down1(F.max_pool2d(x1, 2))
        x3 = self.down2(F.max_pool2d(x2, 2))
        x = self.conv1(_join(x2, self.up1(x3)))
        return self.out(self.conv2(_join(x1, self.up2(x))))  # type: ignore[no-any-return]


def _join(across: Tensor, below: Tensor) -> Tensor:
    height, width = across.size(2) - below.size(2), across.size(3) - below.size(3)
    sides = [width // 2, width - width // 2, height // 2, height - height // 2]
    return torch.cat([across, F.pad(below, sides)], dim=1)


class Segmented(nn.Module):
    """Cross entropy and Dice loss of a segmentation; label 255 does not count."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.criterion = nn.CrossEntropyLoss(ignore_index=255)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        logits = self.model(image)
        loss: Tensor = self.criterion(logits, mask)
        valid = (mask != 255).unsqueeze(1)
        classes = F.one_hot(mask.clamp(max=3), 4).permute(0, 3, 1, 2) * valid
        probabilities = F.softmax(logits, dim=1) * valid
        inside = (probabilities * classes).sum(dim=(0, 2, 3))
        sets = probabilities.sum(dim=(0, 2, 3)) + classes.sum(dim=(0, 2, 3))
        return loss + 1 - ((2 * inside + 1e-6) / (sets + 1e-6)).mean()


def _masks(step: int) -> Batch:
    count = batch_size(step) // 2
    mask = torch.randint(0, 4, (count, 18, 20))
    mask[:, :2] = 255
    return torch.randn(count, 3, 18, 20), mask


_CLASSIFIED = (Update(Classified),)


def _residual(name: str, make: Callable[[], nn.Module]) -> Model:
    """A ResNet as Goyal et al. (2017) train it: a rate of 0.1 for 256 pictures, in proportion."""
    pictures = 32
    batch = images(32, times=pictures // batch_size(0))
    return Model(name, make, batch, _CLASSIFIED, rate=0.1 * pictures / 256, decay=1e-4)


MODELS = (
    _residual("ResNet-18", resnet18),
    _residual("ResNet-50", resnet50),
    Model("MobileNetV3", mobilenet_v3, images(32), _CLASSIFIED),
    Model("ViT", VisionTransformer, images(32), _CLASSIFIED),
    Model("ConvNeXt", convnext, images(32), _CLASSIFIED),
    Model("U-Net", lambda: UNet(bilinear=False), _masks, (Update(Segmented),)),
    Model("U-Net (bilinear)", lambda: UNet(bilinear=True), _masks, (Update(Segmented),)),
)
