"""Steps of a script that updates its weights without an optimizer: a backward is a step."""

from __future__ import annotations

from typing import Any

from torch import nn

from ortwrap.proof.recorder.modules import Roots


class UpdatedByHand:
    """Stands where an optimizer stands, for the modules that gradients have reached.

    Attributes:
        param_groups: what it trains, as an optimizer has it.
        state: what an optimizer remembers of each parameter: nothing.
    """

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._backwards = 0
        self._parameters: list[nn.Parameter] = []
        self.param_groups: list[dict[str, Any]] = [{"params": self._parameters}]
        self.state: dict[nn.Parameter, Any] = {}

    def after_backward(self) -> None:
        """Take in modules that a gradient has reached for the first time.

        Looking for them walks the heap, so it is done after 1, 2, 4, 8, ... backwards.
        """
        self._backwards += 1
        if self._backwards & (self._backwards - 1):
            return
        known = {id(parameter) for parameter in self._parameters}
        for root in self._roots.add_those_with_gradients():
            for parameter in root.parameters():
                if parameter.requires_grad and id(parameter) not in known:
                    known.add(id(parameter))
                    self._parameters.append(parameter)
