"""Rounding, made on purpose: how far apart do honest runs of one script lie?"""

from __future__ import annotations

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from ortwrap.proof.recorder.optimizers import Updates, parameters_of, when_optimizer_is_made


class Nudge:
    """Moves every trained number up or down by a fraction of itself, each time it is called.

    Two programs that compute the same in another order differ like this at every step. Where
    gradients are nothing but rounding, as of a bias before a BatchNorm, Adam makes whole steps
    of it.

    Args:
        relative: the fraction; 0 leaves everything as it is.
    """

    def __init__(self, relative: float) -> None:
        self._relative = relative
        self._generator = torch.Generator().manual_seed(0)

    @torch.no_grad()
    def __call__(self, optimizer: Updates, *_: object) -> None:
        if not self._relative:
            return
        for parameter in parameters_of(optimizer):
            if parameter.is_floating_point():
                up = torch.randint(0, 2, parameter.shape, generator=self._generator) * 2.0 - 1.0
                factor = 1.0 + self._relative * up
                # Graphs that wait for their backward may go on with the parameters they saved.
                parameter.data.mul_(factor.to(parameter.device, parameter.dtype))

    def at_every_step(self) -> None:
        """Be called when an optimizer is made and after each of its steps."""
        when_optimizer_is_made(self)
        register_optimizer_step_post_hook(self)
