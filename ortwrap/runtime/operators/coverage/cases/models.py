"""Small models of the kinds that people train."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..case import Batch, Case


class Residual(nn.Module):
    """A ResNet of two blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8))
        self.block = nn.Sequential(
            nn.Conv2d(8, 8, 3, 1, 1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 8, 3, 1, 1, bias=False),
            nn.BatchNorm2d(8),
        )
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = F.relu(x + self.block(x))
        pooled = F.adaptive_avg_pool2d(x, 1).flatten(1)
        return F.cross_entropy(self.head(pooled), labels)


class SqueezeExcite(nn.Module):
    """An inverted residual of MobileNetV3."""

    def __init__(self) -> None:
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), nn.Hardswish())
        self.depthwise = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.BatchNorm2d(8))
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 2, 1), nn.ReLU(), nn.Conv2d(2, 8, 1)
        )
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        x = self.depthwise(self.expand(x))
        x = x * F.hardsigmoid(self.gate(x))
        return F.cross_entropy(self.head(F.hardswish(x).mean((2, 3))), labels)


class UNet(nn.Module):
    """Down, up, and across."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 6, 3, 1, 1), nn.BatchNorm2d(6), nn.ReLU())
        self.bottom = nn.Conv2d(6, 8, 3, 1, 1)
        self.up = nn.ConvTranspose2d(8, 6, 2, 2)
        self.out = nn.Conv2d(12, 5, 1)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        across = self.down(x)
        up = self.up(F.relu(self.bottom(F.max_pool2d(across, 2))))
        logits = self.out(torch.cat([across, up], 1))
        return F.cross_entropy(logits, labels)


class VisionTransformer(nn.Module):
    """Patches, a class token, an encoder with dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, 8))
        self.positions = nn.Parameter(torch.randn(1, 5, 8) * 0.02)
        layer = nn.TransformerEncoderLayer(8, 2, 16, 0.1, "gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return F.cross_entropy(self.head(self.encoder(x)[:, 0]), labels)


class Tagger(nn.Module):
    """A bidirectional LSTM over embeddings, with dropout and ignored labels."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20, 6)
        self.lstm = nn.LSTM(6, 5, bidirectional=True, batch_first=True)
        self.head = nn.Linear(10, 4)

    def forward(self, words: Tensor, tags: Tensor) -> Tensor:
        states, _ = self.lstm(F.dropout(self.embedding(words), 0.2))
        return F.cross_entropy(self.head(states).flatten(0, 1), tags.flatten(), ignore_index=0)


def _images(step: int) -> Batch:
    return torch.randn(3 + step, 3, 8, 8), torch.randint(0, 5, (3 + step,))


def _masks(step: int) -> Batch:
    return torch.randn(3 + step, 3, 8, 8), torch.randint(0, 5, (3 + step, 8, 8))


def _sentences(step: int) -> Batch:
    return torch.randint(0, 20, (3 + step, 7)), torch.randint(0, 4, (3 + step, 7))


CASES = (
    Case("ResNet", Residual, _images),
    Case("MobileNetV3", SqueezeExcite, _images),
    Case("U-Net", UNet, _masks),
    Case("ViT", VisionTransformer, _images),
    Case("LSTM tagger", Tagger, _sentences),
)
