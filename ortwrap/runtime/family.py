"""Calls whose arguments differ only in Python numbers, in sizes and in how sparse labels are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import torch

from .labels import LabelBatch, look_at
from .plans import Call, GraphPlan, Plan, shapes_of
from .witness import LabelUse

_Key = tuple[tuple[Union[str, None], ...], bool, Union[tuple[torch.Size, ...], None]]


class Family:
    """The plans of such calls, and what has been found out about them.

    Attributes:
        plans: by what is fixed in the graph.
        retired: those that another one has replaced, for the report.
        general: which numbers are inputs of the graph instead.
        uses: the cross entropies of the graph, once there is one.
    """

    def __init__(self) -> None:
        self.plans: dict[_Key, Plan] = {}
        self.retired: list[Plan] = []
        self.general: frozenset[int] = frozenset()
        self.uses: Sequence[LabelUse] | None = None
        self._numbers: list[Any] | None = None
        self._fixed_numbers = False
        self._fixed_shapes = False

    def key(self, call: Call, labels: LabelBatch) -> _Key:
        """Where in `plans` the plan of `call` is."""
        general = self.general
        numbers = tuple(
            [
                None if index in general else repr(number)
                for index, number in enumerate(call.numbers)
            ]
        )
        shapes = shapes_of(call) if self._fixed_shapes else None
        return (numbers, labels.sparse, shapes)

    def settle(self, call: Call, plan: Plan) -> None:
        """Runs calls like `call` by `plan` from now on."""
        if isinstance(plan, GraphPlan):
            self.uses = plan.uses
        key = self.key(call, self.look_at_labels(call))
        if key in self.plans:
            self.retired.append(self.plans[key])
        self.plans[key] = plan

    def look_at_labels(self, call: Call) -> LabelBatch:
        """What the labels of `call` are like, as far as it is known which they are."""
        return look_at(self.uses or (), call.tensors)

    def generalise(self, call: Call) -> None:
        """Makes numbers that are seen with a second value inputs of the graph."""
        seen, self._numbers = self._numbers, call.numbers
        if seen is None or self._fixed_numbers:
            return
        changed = [index for index, (a, b) in enumerate(zip(seen, call.numbers)) if a != b]
        self.general |= frozenset(changed)

    def fix_numbers(self) -> None:
        """Each value of a number gets a graph of its own: Python code branches on one."""
        self._fixed_numbers = True
        self.general = frozenset()

    def fix(self, plan: GraphPlan) -> bool:
        """Gives each combination of sizes and numbers a graph: `plan` had one of them baked in.

        Returns:
            False when they have graphs of their own already.
        """
        if self._fixed_shapes:
            return False
        self._fixed_shapes = True
        if plan.general:
            self.fix_numbers()
        plans, self.plans = self.plans, {}
        self.retired.append(plan)
        for (numbers, sparse, _), old in plans.items():
            for shapes in getattr(old, "proved", ()):
                self.plans[(numbers, sparse, shapes)] = old
        return True
