"""A tensor made between model and loss, by a name that the script has for its type."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

STEP = """\
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

cuda = torch.cuda.is_available()
Tensor = {made}
encoder = nn.Linear(4, 6)
for x, y in []:
    mu, scale = encoder(x).chunk(2, 1)
    z = Tensor(np.random.normal(0, 1, (5, 3)))
    loss = F.mse_loss(mu + z * scale, y)
    loss.backward()
"""


@pytest.mark.parametrize(
    "made", ["torch.FloatTensor", "torch.cuda.FloatTensor if cuda else torch.Tensor"]
)
def test_a_type_of_tensor_changes_nothing(made: str) -> None:
    assert "loss = encoder_with_loss(x, z, y)\n" in rewrite_source(STEP.format(made=made)).text


@pytest.mark.parametrize("made", ["make(cuda)", "torch.Tensor if cuda else make(cuda)"])
def test_what_is_no_type_for_certain_may(made: str) -> None:
    (step,) = rewrite_source(STEP.format(made=made)).steps
    assert step.code == "OW203"
    assert "nothing is known about `Tensor`" in step.message
