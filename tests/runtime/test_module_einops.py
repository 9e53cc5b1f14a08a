"""Models that rearrange their tensors by einops train as one graph for every size of a batch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from twins import Twins

from ortwrap.runtime.dispatch import LATER

einops = pytest.importorskip("einops")
layers = pytest.importorskip("einops.layers.torch")


class Squared(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x).square().mean()


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(8, 24, bias=False)
        self.out = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.qkv(x).chunk(3, dim=-1)
        query, key, value = (einops.rearrange(t, "b n (h d) -> b h n d", h=2) for t in parts)
        found = (query @ key.transpose(-1, -2)).softmax(-1) @ value
        return self.out(einops.rearrange(found, "b h n d -> b n (h d)"))


class AttentionByEinsum(Attention):
    def forward(self, x: Tensor) -> Tensor:
        query, key, value = einops.rearrange(self.qkv(x), "b n (k h d) -> k b h n d", k=3, h=2)
        scores = einops.einsum(query, key, "b h i d, b h j d -> b h i j")
        found = einops.einsum(scores.softmax(-1), value, "b h i j, b h j d -> b h i d")
        return self.out(einops.rearrange(found, "b h n d -> b n (h d)"))


class Patches(nn.Module):
    """A vision transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Sequential(
            layers.Rearrange("b c (h p) (w q) -> b (h w) (p q c)", p=2, q=2), nn.Linear(12, 8)
        )
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.places = nn.Parameter(torch.randn(1, 5, 8))
        self.attention = Attention()
        self.head = nn.Linear(8, 3)

    def forward(self, image: Tensor) -> Tensor:
        x = self.embed(image)
        count, length, _ = x.shape
        token = einops.repeat(self.token, "1 n d -> b n d", b=count)
        x = torch.cat([token, x], 1) + self.places[:, : length + 1]
        return self.head((x + self.attention(x))[:, 0])


class Pooled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, padding=1)
        self.pool = layers.Reduce("b c (h p) (w q) -> b c h w", "max", p=2, q=2)

    def forward(self, image: Tensor) -> Tensor:
        found = self.pool(self.convolution(image))
        means = einops.reduce(found, "b c h w -> b c () ()", "mean")
        lighter = einops.rearrange(found - means, "... h w -> ... (h w)")
        return einops.repeat(einops.reduce(lighter, "b c n -> b c", "sum"), "b c -> (b 2) c")


class Packed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 6)

    def forward(self, image: Tensor) -> Tensor:
        rows, shape = einops.pack([image], "* w")
        (back,) = einops.unpack(self.linear(rows), shape, "* d")
        return back


def graphs(twins: Twins) -> int:
    """How many there are. Its very first call fills the tables of einops, and is not compared."""
    assert all(reason.endswith(LATER) for reason in twins.reasons)
    return twins.backends.count("ort")


SEQUENCES = {"attention": Attention, "attention by einsum": AttentionByEinsum}
IMAGES = {"a vision transformer": Patches, "reduce and repeat": Pooled, "pack": Packed}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_of_any_number_and_length(name: str) -> None:
    twins = Twins(SEQUENCES[name](), kind=Squared, lr=0.01)
    for count, length in ((4, 5), (4, 5), (7, 5), (3, 6), (2, 9)):
        twins.step(torch.randn(count, length, 8))
    assert graphs(twins) == 1
    assert twins.ran_on_ort() >= 2


@pytest.mark.parametrize("name", IMAGES)
def test_images_of_any_number(name: str) -> None:
    twins = Twins(IMAGES[name](), kind=Squared, lr=0.01)
    for count in (4, 4, 7, 4, 7, 4):
        twins.step(torch.randn(count, 3, 4, 4))
    assert graphs(twins) == 1
    assert twins.ran_on_ort() >= 2
