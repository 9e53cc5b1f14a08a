"""Which outputs are a loss: one number that gradients start from."""

from __future__ import annotations

import pytest
import torch

from ortwrap.runtime.entry import plan_outputs


@pytest.mark.parametrize(
    ("output", "is_loss"),
    [
        (torch.tensor(1.0, requires_grad=True), True),
        (torch.zeros(1, requires_grad=True), True),
        ((torch.zeros(1, requires_grad=True), torch.ones(3)), True),
        (torch.zeros(1), False),
        (torch.zeros(1, 1, requires_grad=True), False),
        (torch.zeros(2, requires_grad=True), False),
    ],
)
def test_a_loss_is_one_number_with_a_gradient(output: object, is_loss: bool) -> None:
    assert plan_outputs(output, (), {}).scalar_loss is is_loss
