"""Rounding, made on purpose: how far apart do honest runs of one script lie?"""

from __future__ import annotations

import torch
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

from ortwrap.proof.recorder.optimizers import parameters_of, when_optimizer_is_made


def nudge_parameters(relative: float) -> None:
    """Move every trained number up or down by that fraction of itself, at first and each step.

    Two programs that compute the same in another order differ like this at every step. Where
    gradients are nothing but rounding, as of a bias before a BatchNorm, Adam makes whole steps
    of it.
    """
    generator = torch.Generator().manual_seed(0)

    @torch.no_grad()
    def nudge(optimizer: Optimizer, *_: object) -> None:
        for parameter in parameters_of(optimizer):
            if parameter.is_floating_point():
                signs = torch.randint(0, 2, parameter.shape, generator=generator) * 2.0 - 1.0
                parameter.mul_((1.0 + relative * signs).to(parameter.device, parameter.dtype))

    when_optimizer_is_made(nudge)
    register_optimizer_step_post_hook(nudge)
