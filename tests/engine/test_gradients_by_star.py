"""`grad(...)` that only `from torch.autograd import *`, or another name, tells to be PyTorch's."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine import rewrite_source
from ortwrap.engine.result import Step

SCRIPT = """\
import torch
from torch import nn
{imports}

critic = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.Adam(critic.parameters())


def train(batches):
    for real, mixed in batches:
        optimizer.zero_grad()
        {step}
        loss.backward()
        optimizer.step()
"""
PENALTY = """\
scores = critic(mixed)
        slopes = grad(scores.sum(), mixed, create_graph=True)[0]
        loss = (slopes.norm(2, dim=1) - 1).pow(2).mean() - critic(real).mean()"""
LOOKED_AT = """\
loss = critic(real).mean()
        print(grad(loss, real, retain_graph=True)[0].norm())"""
STAR = "from torch.autograd import *"


@pytest.mark.parametrize(
    "imports",
    [
        STAR,
        f"{STAR}\nfrom torch import *\nfrom torch.optim import *",
        f"from torch.nn import *\n{STAR}",
        f"{STAR}\nfrom missing import *",
        "from missing import *",
        "import torch.autograd as ag\n\ngrad = ag.grad",
    ],
    ids=["alone", "others behind", "behind another", "unknown behind", "unknown", "a variable"],
)
@pytest.mark.parametrize(("step", "code"), [(PENALTY, "OW205"), (LOOKED_AT, "OW210")])
def test_a_gradient_is_seen(imports: str, step: str, code: str) -> None:
    (row,) = rewrite_source(SCRIPT.format(imports=imports, step=step)).steps
    assert (row.code, "grad(" in row.message) == (code, True)


def rewritten_beside(folder: Path, text: str, utils: str) -> tuple[Step, ...]:
    (folder / "utils.py").write_text(utils)
    return rewrite_beside(folder / "train.py", text).steps


def test_a_star_that_hands_on_a_star_is_followed(tmp_path: Path) -> None:
    script = SCRIPT.format(imports="from utils import *", step=PENALTY)
    (row,) = rewritten_beside(tmp_path, script, f"{STAR}\n")
    assert row.code == "OW205"


def test_a_function_of_another_file_that_has_the_name_takes_none(tmp_path: Path) -> None:
    script = SCRIPT.format(imports=f"{STAR}\nfrom utils import *", step=PENALTY)
    utils = "def grad(out, x, create_graph):\n    return (out * x,)\n"
    (row,) = rewritten_beside(tmp_path, script, utils)
    assert row.status == "rewritten", row.message


def test_a_gradient_in_a_method_of_this_file_is_seen() -> None:
    step = "loss = penalty(mixed) - critic(real).mean()"
    helper = "\n\ndef penalty(x):\n    return grad(critic(x).sum(), x, create_graph=True)[0].norm()"
    (row,) = rewrite_source(SCRIPT.format(imports=STAR + helper, step=step)).steps
    assert row.code == "OW205"


def test_a_backward_that_a_star_gives_is_a_sink() -> None:
    step = "loss = critic(real).mean()\n        backward(loss)"
    script = SCRIPT.format(imports=STAR, step=step).replace("        loss.backward()\n", "")
    (row,) = rewrite_source(script).steps
    assert row.status == "rewritten"
