"""How a step is exported again when ONNX Runtime breaks on its own optimizations.

Each rung leaves more of them out. A graph of a lower rung is slower and as right: it is compared
with eager like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Rung:
    """One way to export a step.

    Attributes:
        without: optimizers of ONNX Runtime's sessions that are left out.
        optimized: whether the session optimizes the graph at all.
        apart: whether tensors that are made of nothing but their size are made by torch, each by
            itself: ONNX Runtime merges equal ones, and then its gradient builder breaks on them.
        moved: whether what picks a part of a result may move up to before what computes it. Of a
            linear layer over sequences, `linear(x)[..., :2]` breaks on that.
    """

    without: tuple[str, ...] = ()
    optimized: bool = True
    apart: bool = False
    moved: bool = True

    def __str__(self) -> str:
        parts = [f"without {name}" for name in self.without]
        parts += [] if self.optimized else ["without graph optimizations"]
        parts += ["without merging constants"] if self.apart else []
        parts += [] if self.moved else ["without the compute optimizer"]
        return ", ".join(parts)


FIRST = Rung()


def rungs_after(error: BaseException) -> Iterator[Rung]:
    """What to try when the first rung raised `error`: nothing if optimizations are not at fault."""
    text = str(error)
    if "onnxruntime" not in text.lower():
        return
    named = tuple(_OPTIMIZER.findall(text)[:1])
    if named:
        yield Rung(without=named)
    elif "compute_optimizer" in text:
        yield Rung(moved=False)
    elif _BUILDING.search(text):
        yield Rung(apart=True)
    else:
        return
    yield Rung(optimized=False, apart=True, moved=False)


_OPTIMIZER = re.compile(r"onnxruntime::(\w+)::Apply\w*\(")
# Node arguments that do not match, and names that are defined twice.
_BUILDING = re.compile(r"Argument mismatch|Duplicate definition|RemoveEdge|invalid model")
