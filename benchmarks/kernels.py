"""What the kernels are worth that graphs borrow from torch, measured on this machine.

    python -m benchmarks.kernels

Each row is a layer that `ortwrap/runtime/operators/faster_kernels.py` speaks of, as large as in a
small language model. A step of it, forward and backward, is timed with ONNX Runtime's kernels and
with torch's, one after the other.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping
from unittest import mock

import torch
from torch import Tensor, nn

from ortwrap.runtime import ort_module
from ortwrap.runtime.operators import faster_kernels

from .crossover import in_turn

TOKENS, WIDTH, WORDS = 512, 256, 30_522


class Torchs(nn.Module):
    """A step with a gradient for all of a layer's result; one class for each choice of kernels."""

    def __init__(self, layer: nn.Module, scale: nn.Parameter) -> None:
        super().__init__()
        self.layer = layer
        self.scale = scale

    def forward(self, data: Tensor) -> Tensor:
        # The parameter makes a gradient go through layers that have none of their own.
        result: Tensor = self.layer(data * self.scale if data.is_floating_point() else data)
        return result.mean()


class Onnxs(Torchs):
    """The same, so that it has a graph of its own."""


def layers() -> Mapping[str, tuple[nn.Module, Tensor]]:
    """Each layer and what it is given."""
    wide, narrow = torch.randn(TOKENS, 4 * WIDTH), torch.randn(TOKENS, WIDTH)
    return {
        "GELU": (nn.GELU(), wide),
        "LayerNorm": (nn.LayerNorm(WIDTH), narrow),
        "Embedding": (nn.Embedding(WORDS, WIDTH), torch.randint(WORDS, (TOKENS,))),
        "Linear to all words": (nn.Linear(WIDTH, WORDS), narrow[: TOKENS // 8]),
    }


def milliseconds(layer: nn.Module, data: Tensor, rounds: int) -> tuple[float, float]:
    """A step with ONNX Runtime's kernels, and one with torch's."""
    scale = nn.Parameter(torch.ones(data.shape[-1]))
    onnxs, torchs = ort_module(Onnxs, layer, scale), ort_module(Torchs, layer, scale)
    with mock.patch.object(faster_kernels, "_CHOICES", {}):
        onnxs(data).backward()
        onnxs(data).backward()
    torchs(data).backward()
    theirs, ours = in_turn(onnxs, torchs, (data,), rounds)
    return theirs * 1e3, ours * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="steps of each kind (default: 40)")
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, median of {rounds}")
    print(f"{'a step of':<20}{'ONNX Runtime':>14}{'torch':>11}{'ratio':>7}")
    for name, (layer, data) in layers().items():
        theirs, ours = milliseconds(layer, data, rounds)
        print(f"{name:<20}{theirs:>11.2f} ms{ours:>8.2f} ms{theirs / ours:>7.2f}", flush=True)


if __name__ == "__main__":
    main()
