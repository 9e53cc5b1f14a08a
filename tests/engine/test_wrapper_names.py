"""What holds the wrapper is called by what the step trains."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

STEP = """\
import torch
from torch import nn


def train(encoder, model, decoder, loader, optimizer):
    {before}
    for x, y in loader:
        hidden = encoder(x)
        out = decoder(model(hidden))
        loss = (out - y).pow(2).mean()
        loss.backward()
        {after}
        optimizer.step()
"""


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("model.train()", "pass", "model_with_loss"),
        ("pass", "nn.utils.clip_grad_norm_(model.parameters(), 1.0)", "model_with_loss"),
        ("model.train(), decoder.eval(), encoder.train()", "pass", "encoder_with_loss"),
        ("pass", "pass", "encoder_with_loss"),
        (
            "model.train(); optimizer = torch.optim.SGD(decoder.parameters(), 0.1)",
            "pass",
            "decoder_with_loss",
        ),
    ],
    ids=["set to training", "clipped", "the first of several", "nothing tells", "updated"],
)
def test_the_wrapper_is_named_after_what_is_trained(before: str, after: str, name: str) -> None:
    text = rewrite_source(STEP.format(before=before, after=after)).text
    assert f"{name} = ort_module(" in text


def test_a_class_names_the_steps_that_share_it() -> None:
    step = "    for x, y in batches:\n        F.mse_loss(net(x), y).backward()\n"
    names = ("first", "second", "third", "fourth")
    functions = [f"\n\ndef {name}(net: nn.Module, batches):\n{step}" for name in names]
    head = "import torch.nn.functional as F\nfrom torch import nn\n"
    both, all_four = (
        rewrite_source(head + "".join(functions[:count])).text for count in (2, len(functions))
    )
    assert "loss of `first` and `second`, exported" in both
    assert "loss of `first`, `second` and 2 more" in all_four


TWO_CLASSES = """\
import torch
import torch.nn.functional as F
from torch import nn


class WorldModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(4, 2)

    def fit(self, x, y):
        loss = F.mse_loss({first}, y)
        loss.backward()


class SelfModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(4, 2)

    def fit(self, x, y):
        loss = F.l1_loss({second}, y)
        loss.backward()
"""


def test_modules_that_train_themselves_are_called_by_their_class() -> None:
    text = rewrite_source(TWO_CLASSES.format(first="self.net(x)", second="self(x)")).text
    assert "model_with_loss = ort_module(SelfModelWithLoss, self)" in text


def test_methods_of_one_name_are_told_apart_by_their_class() -> None:
    text = rewrite_source(TWO_CLASSES.format(first="self.net(x)", second="self.net(x)")).text
    assert "= ort_module(NetWithLoss, self.net)" in text
    assert "= ort_module(SelfModelWithLoss, self.net)" in text
