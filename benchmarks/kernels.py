"""What the kernels are worth that graphs get in place of others, measured on this machine.

    python -m benchmarks.kernels

Each row is a layer that `ortwrap/runtime/operators/faster_kernels.py` or `fast_dropout.py` speaks
of, as large as in a small language model. A step of it, forward and backward, is timed as it would
be without these files, and as it is, one after the other.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping
from unittest import mock

import torch
from torch import Tensor, nn

from ortwrap.runtime import ort_module
from ortwrap.runtime.operators import fast_dropout, faster_kernels

from .crossover import in_turn

TOKENS, WIDTH, WORDS = 512, 256, 30_522


class Chosen(nn.Module):
    """A step with a gradient for all of a layer's result; one class for each choice of kernels."""

    def __init__(self, layer: nn.Module, scale: nn.Parameter) -> None:
        super().__init__()
        self.layer = layer
        self.scale = scale

    def forward(self, data: Tensor) -> Tensor:
        # The parameter makes a gradient go through layers that have none of their own.
        result: Tensor = self.layer(data * self.scale if data.is_floating_point() else data)
        return result.mean()


class Others(Chosen):
    """The same, so that it has a graph of its own."""


class Biased(nn.Module):
    """Adds a bias, whose gradient is a sum over all tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, data: Tensor) -> Tensor:
        return data + self.bias


class EverySeventh(nn.Module):
    """Some of the tokens, as those are that have a label; each depends on all."""

    def forward(self, data: Tensor) -> Tensor:
        return data.softmax(0)[torch.arange(0, TOKENS, 7)]


def layers() -> Mapping[str, tuple[nn.Module, Tensor]]:
    """Each layer and what it is given."""
    wide, narrow = torch.randn(TOKENS, 4 * WIDTH), torch.randn(TOKENS, WIDTH)
    pictures = torch.randn(32, 32, 16, 16)
    return {
        "GELU": (nn.GELU(), wide),
        "LayerNorm": (nn.LayerNorm(WIDTH), narrow),
        "Embedding": (nn.Embedding(WORDS, WIDTH), torch.randint(WORDS, (TOKENS,))),
        "Linear to all words": (nn.Linear(WIDTH, WORDS), narrow[: TOKENS // 8]),
        "sum for a bias": (Biased(WIDTH), narrow),
        "every seventh token": (EverySeventh(), narrow),
        "Dropout": (nn.Dropout(0.1), wide),
        "ReLU": (nn.ReLU(), wide),
        "log-softmax": (nn.LogSoftmax(-1), wide),
        "Conv2d": (nn.Conv2d(32, 32, 3, padding=1), pictures),
        "MaxPool2d": (nn.MaxPool2d(2), pictures),
    }


def milliseconds(layer: nn.Module, data: Tensor, rounds: int) -> tuple[float, float]:
    """A step with the kernels that would be there otherwise, and one with those that are."""
    scale = nn.Parameter(torch.ones(data.shape[-1]))
    others, chosen = ort_module(Others, layer, scale), ort_module(Chosen, layer, scale)
    as_torch = mock.patch.object(fast_dropout, "_is_dropout", return_value=False)
    with mock.patch.object(faster_kernels, "_CHOICES", {}), as_torch:
        others(data).backward()
        others(data).backward()
    chosen(data).backward()
    theirs, ours = in_turn(others, chosen, (data,), rounds)
    return theirs * 1e3, ours * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="steps of each kind (default: 40)")
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, median of {rounds}")
    print(f"{'a step of':<20}{'otherwise':>14}{'here':>11}{'ratio':>7}")
    for name, (layer, data) in layers().items():
        theirs, ours = milliseconds(layer, data, rounds)
        print(f"{name:<20}{theirs:>11.2f} ms{ours:>8.2f} ms{theirs / ours:>7.2f}", flush=True)


if __name__ == "__main__":
    main()
