"""Settings that forward reads off the module, beside those that it has to be given."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import argparse
from types import SimpleNamespace

import torch
from easydict import EasyDict
from torch import nn

parser = argparse.ArgumentParser()
{settings}


class Penalty(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = size


def train(model, loader, optimizer, criterion, options):
    for x, y in loader:
        optimizer.zero_grad()
        output = model(x)
        loss = criterion(output, y) * {read}
        loss.backward()
        optimizer.step()
        {after}


{main}
"""


def _forward(settings: str, read: str, after: str = "pass", main: str = "") -> str:
    """The parameters of forward behind `x` and `y`."""
    script = SCRIPT.format(settings=settings, read=read, after=after, main=main)
    text = rewrite_source(script).text
    assert "ort_module(" in text
    return text.partition("def forward(self, x, y")[2].partition(")")[0]


PARSED = "args = parser.parse_args()"


@pytest.mark.parametrize(
    ("settings", "read"),
    [
        (PARSED, "args.scale"),
        ("args, rest = parser.parse_known_args()", "args.scale"),
        (f"if __name__ == '__main__':\n    {PARSED}", "args.scale"),
        ("cfg = SimpleNamespace(loss=SimpleNamespace(scale=2.0))", "cfg.loss.scale"),
        ("cfg = EasyDict({'scale': 2.0})", "cfg.scale"),
        (f"{PARSED}\nargs.scale = 2 * args.base", "args.scale"),
        (f"{PARSED}\nif args.base > 1:\n    args.scale = 0.5", "args.scale"),
        (f"{PARSED}\nscale = args.scale", "scale"),
        (f"{PARSED}\nscale, size = max(args.scale, 1.0), 2", "scale"),
        ("scale = 2.0 if torch.cuda.is_available() else 1.0", "scale"),
        ("device = torch.device('cpu')", "torch.ones(output.shape, device=device).mean()"),
    ],
)
def test_what_no_code_changes_is_read_in_forward(settings: str, read: str) -> None:
    assert _forward(settings, read) == ""


@pytest.mark.parametrize(
    ("settings", "read", "after", "main"),
    [
        pytest.param(PARSED, "args.scale", "args.scale = 1.0", "", id="set by the step"),
        pytest.param(
            PARSED, "args.scale", "adjust(args)", "def adjust(a):\n    a.scale *= 2", id="renamed"
        ),
        pytest.param(PARSED, "args.loss.scale", "args.loss.scale = 1.0", "", id="of a section"),
        pytest.param(PARSED, "args.scale", "setattr(args, name, 1.0)", "", id="by text"),
        pytest.param(PARSED, "args.scale", "vars(args)['scale'] = 1.0", "", id="by vars"),
        pytest.param(PARSED, "args.scale", "vars(args).update(scale=1.0)", "", id="updated"),
        pytest.param(PARSED, "args.scale", "args.__dict__['scale'] = 1.0", "", id="by its dict"),
        pytest.param(PARSED, "args.scale", "parser.parse_args(['--scale'], args)", "", id="parsed"),
        pytest.param(PARSED, "args.scale", "del args.scale", "", id="deleted"),
        pytest.param(
            PARSED, "args.scale", "pass", "for args.scale in (1.0, 2.0):\n    train()", id="looped"
        ),
        pytest.param(
            PARSED, "args.scale", "pass", "train()\nargs.scale = 2.0\ntrain()", id="between epochs"
        ),
        pytest.param(
            f"{PARSED}\nargs.scale = torch.ones(3)", "args.scale", "pass", "", id="a tensor"
        ),
        pytest.param(
            "cfg = SimpleNamespace(scale=torch.ones(3))", "cfg.scale", "pass", "", id="made of one"
        ),
        pytest.param("cfg = load('cfg.yaml')", "cfg.scale", "pass", "", id="of an unknown kind"),
        pytest.param(
            "scale = 1.0 if parser else 2.0", "scale", "pass", "", id="computed of an object"
        ),
        pytest.param(
            f"{PARSED}\nscale = args.scale",
            "scale",
            "pass",
            "for scale in (1.0, 2.0):\n    train()",
            id="bound twice",
        ),
        pytest.param(
            "for scale in (1.0, 2.0):\n    size = scale", "size", "pass", "", id="bound in a loop"
        ),
    ],
)
def test_what_some_code_may_change_is_an_argument(
    settings: str, read: str, after: str, main: str
) -> None:
    assert _forward(settings, read, after, main) in (", scale", ", size")


def test_no_parameter_hides_a_setting() -> None:
    text = _forward(f"{PARSED}\nscale = args.scale", "options.scale * scale")
    assert text == ", options_scale"


def test_what_is_called_is_no_setting() -> None:
    assert _forward(PARSED, "args.scale(y)") != ""
