"""A module that takes gradients in its own forward, as meta-learning does, in whatever file."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine.result import Step

META = """\
import torch
from torch import autograd, nn


class Meta(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, y):
        return self.net(x) - self.slope(x, y)

    def slope(self, x, y):
        loss = nn.functional.mse_loss(self.net(x), y)
        return sum(g.sum() for g in autograd.grad(loss, self.net.parameters(), create_graph=True))

    def plain(self, x):
        return self.net(x)


def make(width):
    model = Meta(nn.Linear(width, 2))
    return model
"""
TRAIN = """\
import torch
from torch import nn
{head}

optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in batches:
    optimizer.zero_grad()
    out = {run}
    loss = nn.functional.mse_loss(out, y)
    loss.backward()
    optimizer.step()
"""
FACTORY = "import meta\nmodel = meta.make(4)"
CLASS = "from meta import Meta\nmodel = Meta(nn.Linear(4, 2))"


def step(folder: Path, head: str, run: str) -> Step:
    (folder / "meta.py").write_text(META)
    (row,) = rewrite_beside(folder / "train.py", TRAIN.format(head=head, run=run)).steps
    return row


@pytest.mark.parametrize("head", [FACTORY, CLASS], ids=["a factory made it", "its class made it"])
def test_a_gradient_in_a_forward_of_another_file_is_named_with_its_place(
    tmp_path: Path, head: str
) -> None:
    found = step(tmp_path, head, "model(x, y)")
    assert found.code == "OW205"
    assert "autograd.grad(loss, self.net.parameters()" in found.message
    assert "(meta.py:15)" in found.message


def test_a_gradient_behind_another_method_is_found(tmp_path: Path) -> None:
    assert step(tmp_path, FACTORY, "model.slope(x, y)").code == "OW205"


def test_a_method_that_takes_none_is_rewritten(tmp_path: Path) -> None:
    assert step(tmp_path, FACTORY, "model.plain(x)").status == "rewritten"


def test_a_gradient_in_a_forward_of_this_file_is_found(tmp_path: Path) -> None:
    head = META.replace(
        "import torch\nfrom torch import autograd, nn\n", "from torch import autograd\n"
    )
    found = step(tmp_path, f"{head}\nmodel = make(4)", "model(x, y)")
    assert found.code == "OW205"
    assert "meta.py" not in found.message


def test_the_backward_of_a_function_of_its_own_is_no_part_of_the_loss(tmp_path: Path) -> None:
    head = (
        "class Twice(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x):\n"
        "        return 2 * x\n\n"
        "    @staticmethod\n"
        "    def backward(ctx, grad):\n"
        "        return torch.autograd.grad(2 * grad, grad)\n\n\n"
        "class Net(nn.Module):\n"
        "    def forward(self, x):\n"
        "        return Twice.apply(x)\n\n\n"
        "model = Net()\n"
    )
    assert step(tmp_path, head, "model(x)").status == "rewritten"
