"""Which of several results of a step depends on what, in eager.

To torch a graph is one function of all its inputs: whoever asks for the gradient of one result gets
zeros for parameters that only another one depends on, where eager leaves None, and no gradient of a
result that the loss was computed from.
"""

from __future__ import annotations

import weakref
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Branch:
    """What one result depends on.

    Attributes:
        leaves: indices of parameters and arguments.
        results: indices of other results.
    """

    leaves: frozenset[int] = frozenset()
    results: frozenset[int] = frozenset()


class Branches:
    """What the outputs of one graph depend on: all of them on the same, until it is told."""

    def __init__(self) -> None:
        self._known: tuple[Branch, ...] = ()
        # Outputs that others are computed from, and which these are.
        self._inner: list[tuple[int, list[int]]] = []

    def tell(self, known: Sequence[Branch]) -> None:
        """Learns what each output depends on, by positions of the graph's inputs."""
        self._known = tuple(known)
        uses = (
            [at for at, one in enumerate(known) if index in one.results]
            for index in range(len(known))
        )
        self._inner = [(index, of) for index, of in enumerate(uses) if of]

    def watch(self, computed: Sequence[Tensor], given: Sequence[Tensor]) -> None:
        """Remembers, for the backward of `computed`, what the user is given of it."""
        if not self._inner:
            return
        node = next((one.grad_fn for one in computed if one.grad_fn is not None), None)
        if node is not None:
            inner = [(weakref.ref(given[index]), of) for index, of in self._inner]
            node.inner = inner  # type: ignore[attr-defined]

    def objection(self, node: Any, upstream: Sequence[Tensor | None]) -> str | None:
        """Why these gradients of the outputs do not tell all that was asked for."""
        for reference, of in getattr(node, "inner", ()):
            output = reference()
            asked = output is not None and (output._backward_hooks or output.retains_grad)
            if asked and any(upstream[index] is not None for index in of):
                return "a hook on a result that the loss is computed from, or its grad, needs eager"
        return None

    def reached(self, upstream: Sequence[Tensor | None]) -> Collection[int] | None:
        """The inputs that get a gradient from these; None if all of them do."""
        pairs = list(zip(self._known, upstream))
        if all(gradient is not None for branch, gradient in pairs if branch.leaves):
            return None
        return frozenset().union(*(one.leaves for one, gradient in pairs if gradient is not None))


def branches_of(results: Sequence[Tensor], leaves: Sequence[Tensor]) -> tuple[Branch, ...]:
    """A branch for each result; empty if they all depend on the same and not on one another."""
    places: dict[int, list[int]] = {}
    for index, leaf in enumerate(leaves):
        # One tensor may be several arguments: which of them its gradient comes by shows nowhere.
        places.setdefault(id(leaf), []).append(index)
    nodes = {one.grad_fn: index for index, one in enumerate(results) if one.grad_fn is not None}
    found = tuple([_branch(one, places, nodes) for one in results])
    trained = [branch for branch, one in zip(found, results) if one.requires_grad]
    plain = len({branch.leaves for branch in trained}) < 2 and not any(
        branch.results for branch in trained
    )
    return () if plain else found


def only_beside_the_loss(known: Sequence[Branch], leaves: Collection[int]) -> frozenset[int]:
    """Those of some leaves that a later result depends on, and the first one does not.

    torch goes on behind every input of a graph, also without a gradient for it.
    """
    if not known:
        return frozenset()
    reached = frozenset().union(*(branch.leaves for branch in known[1:]))
    return reached.intersection(leaves) - known[0].leaves


def _branch(result: Tensor, places: dict[int, list[int]], nodes: dict[Any, int]) -> Branch:
    leaves: set[int] = set()
    results: set[int] = set()
    seen: set[Any] = set()
    stack = [result.grad_fn]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node in nodes and node is not result.grad_fn:
            results.add(nodes[node])
        leaves.update(places.get(id(getattr(node, "variable", None)), ()))
        stack.extend(following for following, _ in node.next_functions)
    return Branch(frozenset(leaves), frozenset(results))
