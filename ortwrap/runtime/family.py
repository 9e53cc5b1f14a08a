"""Calls whose arguments differ only in Python numbers and in sizes."""

from __future__ import annotations

from typing import Any, Union

import torch

from .plans import Call, GraphPlan, Plan, shapes_of

_Key = tuple[tuple[Union[str, None], ...], Union[tuple[torch.Size, ...], None]]


class Family:
    """The plans of such calls, and what has been found out about them.

    Attributes:
        plans: by what is fixed in the graph.
        retired: those that another one has replaced, for the report.
        general: which numbers are inputs of the graph instead.
        seen: a call of it has been passed over, to see whether there will be more.
        calls_with_arrays: how many calls with these very arrays there were, up to 2.
    """

    def __init__(self) -> None:
        self.plans: dict[_Key, Plan] = {}
        self.retired: list[Plan] = []
        self.general: frozenset[int] = frozenset()
        self.seen = False
        self.calls_with_arrays = 0
        self._numbers: list[Any] | None = None
        self._fixed_numbers = False
        self._fixed_shapes = False

    def key(self, call: Call) -> _Key:
        """Where in `plans` the plan of `call` is."""
        general = self.general
        numbers = tuple(
            [
                None if index in general else repr(number)
                for index, number in enumerate(call.numbers)
            ]
        )
        shapes = shapes_of(call) if self._fixed_shapes else None
        return (numbers, shapes)

    def settle(self, call: Call, plan: Plan) -> None:
        """Runs calls like `call` by `plan` from now on."""
        key = self.key(call)
        if key in self.plans:
            self.retired.append(self.plans[key])
        self.plans[key] = plan

    def replace(self, plan: Plan, other: Plan) -> None:
        """Runs by another plan from now on what `plan` ran."""
        self.plans = {key: other if one is plan else one for key, one in self.plans.items()}
        self.retired.append(plan)

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
        for (numbers, _), old in plans.items():
            for shapes in getattr(old, "proved", ()):
                self.plans[(numbers, shapes)] = old
        return True
