"""Models that make pictures: a variational autoencoder, a DCGAN, a diffusion model."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .model import Batch, Model, Update, batch_size


class Vae(nn.Module):
    """The variational autoencoder of PyTorch's examples."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 48)
        self.fc21, self.fc22 = nn.Linear(48, 8), nn.Linear(48, 8)
        self.fc3, self.fc4 = nn.Linear(8, 48), nn.Linear(48, 64)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = F.relu(self.fc1(x))
        mu, logvar = self.fc21(hidden), self.fc22(hidden)
        std = torch.exp(0.5 * logvar)
        z = mu + torch.randn_like(std) * std
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar


class EvidenceBound(nn.Module):
    """Reconstruction and divergence from the prior, per example."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        reconstructed, mu, logvar = self.model(x)
        bce = F.binary_cross_entropy(reconstructed, x, reduction="sum")
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return (bce + kld) / x.shape[0]


def _digits(step: int) -> Batch:
    return (torch.rand(2 * batch_size(step), 64),)


class Dcgan(nn.Module):
    """Generator and discriminator of DCGAN for pictures of 16x16."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(
            nn.ConvTranspose2d(12, 32, 4, 1, 0, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(True),
            nn.ConvTranspose2d(32, 16, 4, 2, 1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(True),
            nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False),
            nn.Tanh(),
        )
        self.discriminator = nn.Sequential(
            nn.Conv2d(3, 16, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(16, 32, 4, 2, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(32, 1, 4, 1, 0, bias=False),
            nn.Sigmoid(),
            nn.Flatten(0),
        )


class DiscriminatorLoss(nn.Module):
    """Real pictures are real, detached fakes are fake."""

    def __init__(self, model: Dcgan) -> None:
        super().__init__()
        self.generator, self.discriminator = model.generator, model.discriminator
        self.criterion = nn.BCELoss()

    def forward(self, real: Tensor, noise: Tensor) -> Tensor:
        said = self.discriminator(real)
        loss: Tensor = self.criterion(said, torch.ones_like(said))
        said = self.discriminator(self.generator(noise).detach())
        return loss + self.criterion(said, torch.zeros_like(said))  # type: ignore[no-any-return]


class GeneratorLoss(nn.Module):
    """Fakes pass for real."""

    def __init__(self, model: Dcgan) -> None:
        super().__init__()
        self.generator, self.discriminator = model.generator, model.discriminator
        self.criterion = nn.BCELoss()

    def forward(self, real: Tensor, noise: Tensor) -> Tensor:
        said = self.discriminator(self.generator(noise))
        return self.criterion(said, torch.ones_like(said))  # type: ignore[no-any-return]


def _pictures(step: int) -> Batch:
    count = batch_size(step)
    return torch.rand(count, 3, 16, 16) * 2 - 1, torch.randn(count, 12, 1, 1)


class Denoiser(nn.Module):
    """A small residual network that is told the time by sines."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.inside = nn.Conv2d(3, width, 3, padding=1)
        self.norm = nn.GroupNorm(4, width)
        self.middle = nn.Conv2d(width, width, 3, padding=1)
        self.attention = nn.Conv2d(width, 3 * width, 1, bias=False)
        self.out = nn.Conv2d(width, 3, 3, padding=1)
        frequencies = torch.exp(torch.arange(width // 2) * -(math.log(10000) / (width // 2 - 1)))
        self.register_buffer("frequencies", frequencies)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        angles = time[:, None].to(x.dtype) * self.frequencies[None]  # type: ignore[index]
        told = self.time(torch.cat((angles.sin(), angles.cos()), dim=-1))
        x = self.inside(x)
        x = x + self.middle(F.silu(self.norm(x) + told[:, :, None, None]))
        b, c, h, w = x.shape
        q, k, v = self.attention(x).reshape(b, 3, 4, c // 4, h * w).transpose(3, 4).unbind(1)
        attended = F.scaled_dot_product_attention(q, k, v)
        x = x + attended.transpose(2, 3).reshape(b, c, h, w)
        return self.out(F.silu(x))  # type: ignore[no-any-return]


class TimedBlock(nn.Module):
    """Two convolutions, told the time between them, with a way around them."""

    def __init__(self, channels: int, out: int, time: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(4, channels), nn.Conv2d(channels, out, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(4, out), nn.Conv2d(out, out, 3, padding=1)
        self.told = nn.Linear(time, 2 * out)
        self.dropout = nn.Dropout(0.1)
        self.around = nn.Conv2d(channels, out, 1) if channels != out else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.told(F.silu(time))[:, :, None, None].chunk(2, dim=1)
        h = F.silu(self.norm2(h) * (scale + 1) + shift)
        return self.around(x) + self.conv2(self.dropout(h))  # type: ignore[no-any-return]


class TimedUNet(nn.Module):
    """The U-Net of diffusion models: blocks that know the time, on the way down and up again."""

    def __init__(self, width: int = 8, time: int = 16) -> None:
        super().__init__()
        self.pairs = time // 2
        self.time = nn.Sequential(nn.Linear(time, time), nn.SiLU(), nn.Linear(time, time))
        self.inside = nn.Conv2d(3, width, 3, padding=1)
        self.down1, self.less = TimedBlock(width, width, time), nn.Conv2d(width, width, 3, 2, 1)
        self.middle = TimedBlock(width, 2 * width, time)
        self.more = nn.Conv2d(2 * width, width, 3, padding=1)
        self.up1 = TimedBlock(2 * width, width, time)
        self.out = nn.Sequential(
            nn.GroupNorm(4, width), nn.SiLU(), nn.Conv2d(width, 3, 3, padding=1)
        )

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        rate = torch.exp(-math.log(10000) * torch.arange(self.pairs, dtype=x.dtype) / self.pairs)
        angles = time[:, None].to(x.dtype) * rate[None]
        told = self.time(torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1))
        first = self.down1(self.inside(x), told)
        x = self.middle(self.less(first), told)
        x = self.more(F.interpolate(x, scale_factor=2, mode="nearest"))
        return self.out(self.up1(torch.cat([x, first], dim=1), told))  # type: ignore[no-any-return]


class NoisePrediction(nn.Module):
    """Noise is drawn, added, and predicted."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        kept = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 100), dim=0)
        self.kept: Tensor
        self.register_buffer("kept", kept, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        time = torch.randint(0, 100, (x.shape[0],), device=x.device)
        noise = torch.randn_like(x)
        kept = self.kept.to(x.dtype)[time][:, None, None, None]
        return F.mse_loss(self.model(kept.sqrt() * x + (1 - kept).sqrt() * noise, time), noise)


def _noisy(step: int) -> Batch:
    return (torch.rand(batch_size(step), 3, 8, 8) * 2 - 1,)


MODELS = (
    Model("VAE", Vae, _digits, (Update(EvidenceBound),), rate=0.002),
    Model(
        "DCGAN",
        Dcgan,
        _pictures,
        (
            Update(DiscriminatorLoss, of="discriminator"),  # type: ignore[arg-type]
            Update(GeneratorLoss, of="generator"),  # type: ignore[arg-type]
        ),
        rate=0.002,
    ),
    Model("diffusion model", Denoiser, _noisy, (Update(NoisePrediction),)),
    Model("diffusion U-Net", TimedUNet, _noisy, (Update(NoisePrediction),)),
)
