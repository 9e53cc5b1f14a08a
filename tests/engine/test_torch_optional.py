"""A file that can be imported without PyTorch can be so afterwards."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

FILE = """\
try:
    import torch
    from torch import nn
except ImportError{handler}


{other}def train(net, x, y):
    net.train()
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
"""
NETWORK = "class Net(nn.Module):\n    def forward(self, x):\n        return x\n\n\n"

OPTIONAL = [
    ("it is noted", ":\n    torch = nn = None", ""),
    ("nothing is done", " as error:\n    print(error)", ""),
    ("a stand-in", ":\n    class nn:\n        class Module:\n            pass", NETWORK),
]
NEEDED = [
    ("it is an error", " as error:\n    raise RuntimeError('install it') from error", ""),
    ("the script ends", ":\n    import sys\n    sys.exit('install it')", ""),
    ("it is installed", ":\n    install('torch')\n    import torch\n    from torch import nn", ""),
    ("another import", ":\n    torch = nn = None", "import torchvision\n\n\n"),
    ("a class of modules", ":\n    torch = nn = None", NETWORK),
]


def _status(handler: str, other: str) -> tuple[str, str | None]:
    [step] = rewrite_source(FILE.format(handler=handler, other=other)).steps
    return step.status, step.code


@pytest.mark.parametrize(
    ("handler", "other"), [row[1:] for row in OPTIONAL], ids=[row[0] for row in OPTIONAL]
)
def test_a_file_that_goes_on_without_it_is_left_alone(handler: str, other: str) -> None:
    assert _status(handler, other) == ("refused", "OW117")


@pytest.mark.parametrize(
    ("handler", "other"), [row[1:] for row in NEEDED], ids=[row[0] for row in NEEDED]
)
def test_a_file_that_cannot_do_without_it_is_rewritten(handler: str, other: str) -> None:
    assert _status(handler, other)[0] == "rewritten"
