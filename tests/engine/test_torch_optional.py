"""A file that can be imported without PyTorch can be so afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from ortwrap.engine import rewrite_source
from ortwrap.neighbours import ProjectFiles

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


LATE = {
    "in the function": ("", "net, x, y, optimizer", "import torch\n    from torch import nn"),
    "in another one": (
        "def load():\n    import torch\n    return torch\n\n\n",
        "net, x, y, optimizer",
        "nn = load().nn",
    ),
    "handed over": (
        "",
        "net, x, y, optimizer, *, torch",
        "net.to(torch.device('cpu'))",
    ),
}


@pytest.mark.parametrize(("above", "given", "first"), LATE.values(), ids=LATE)
def test_a_file_that_imports_it_when_it_is_needed_is_left_alone(
    above: str, given: str, first: str, tmp_path: Path
) -> None:
    step = f"    {first}\n    net.train()\n    optimizer.zero_grad()\n"
    step += "    loss = (net(x) - y).pow(2).mean()\n    loss.backward()\n    optimizer.step()\n"
    text = f"import math\nfrom model import Net\n\n\n{above}def train({given}):\n{step}"
    (tmp_path / "model.py").write_text("def Net():\n    import torch\n    return torch.nn.ReLU()\n")
    assert _in_project(text, tmp_path) == "OW117"
    (tmp_path / "model.py").write_text("import torch\n\n\nclass Net(torch.nn.Module):\n    pass\n")
    assert _in_project(text, tmp_path) != "OW117"
    assert _in_project(f"import torch\n{text}", tmp_path) != "OW117"
    (tmp_path / "model.py").write_text("Net = None\n")
    ended = "try:\n    import torch\nexcept ImportError:\n    raise SystemExit(1)\n"
    assert _in_project(f"{ended}{text}", tmp_path) != "OW117"


def _in_project(text: str, folder: Path) -> str | None:
    result = rewrite_source(text, neighbours=ProjectFiles(str(folder / "train.py"), str(folder)))
    return next((step.code for step in result.steps), None)


ATTEMPT = """\
try:
    import torch
    import torch.nn as nn
except ImportError:
    {handler}
"""
ASKED_FOR = 'raise SystemExit("pip install torch")'
ON_ITS_OWN = (
    "import torch\n\ntry:\n    import torch.utils.tensorboard\nexcept ImportError:\n    pass\n"
)
STEP = "net = nn.Linear(4, 2)\nnet.train()\nloss = net(torch.ones(3, 4)).mean()\nloss.backward()\n"


@pytest.mark.parametrize(
    ("head", "above"),
    [
        pytest.param(
            f"import os\n\n{ATTEMPT.format(handler=ASKED_FOR)}", f"    {ASKED_FOR}", id="behind it"
        ),
        pytest.param(
            f"{ATTEMPT.format(handler=ASKED_FOR)}\nimport numpy as np\n",
            "import numpy as np",
            id="behind the imports behind it",
        ),
        pytest.param(
            f"{ATTEMPT.format(handler='print(1); exit()')}", "    print(1); exit()", id="it exits"
        ),
        pytest.param(
            f"from torch import nn\n{ON_ITS_OWN}", "import torch", id="in front of an optional part"
        ),
    ],
)
def test_the_import_stands_where_torch_is_there_for_certain(head: str, above: str) -> None:
    text = rewrite_source(f"{head}\n{STEP}").text
    lines = [line for line in text.splitlines() if line.strip()]
    at = lines.index("from ortwrap.runtime import ort_module")
    assert lines[at - 1] == above
    assert "from torch import nn" not in lines[at + 1 :]
