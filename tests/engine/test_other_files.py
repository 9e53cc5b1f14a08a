"""What other files of a project say of a step, and what they do not."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine import rewrite_source
from ortwrap.engine.result import Step

SCRIPT = """\
import torch
from torch import nn
from solver import Solver


class Mine(Solver):
    def __init__(self, model, args):
        super().__init__(model, args)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

    def train(self, batches):
        for x, y in batches:
            self.optimizer.zero_grad()
            out = self.model(x)
            loss = nn.functional.mse_loss(out, y)
            if self.args.more:
                loss = loss + self.penalty(out, y)
            loss.backward()
            self.optimizer.step()
"""
SOLVER = """\
import torch


class Solver:
    def __init__(self, model, args):
        self.model = model
        self.args = args
        self.scale = args.scale

    def penalty(self, out, y):
        return self.scale * (out - y).abs().mean()
"""


def steps(folder: Path, script: str = SCRIPT, **files: str) -> tuple[Step, ...]:
    """The rows of a script that stands beside files, each given by its module's name."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(dedent(text))
    return rewrite_beside(folder / "train.py", script).steps


def test_a_method_of_a_base_class_in_another_file_is_known_to_be_bound(tmp_path: Path) -> None:
    (step,) = steps(tmp_path, solver=SOLVER)
    assert step.status == "rewritten"


def test_without_the_other_files_nothing_is_known() -> None:
    (step,) = rewrite_source(SCRIPT).steps
    assert step.code == "OW106"


@pytest.mark.parametrize(
    ("solver", "script", "code"),
    [
        pytest.param(
            SOLVER.replace(
                "        return self.scale",
                "        self.seen = self.seen + out.detach()\n        return self.scale",
            ),
            SCRIPT,
            "OW107",
            id="it updates what the instance keeps",
        ),
        pytest.param(
            SOLVER.replace("        return", "        print(out)\n        return"),
            SCRIPT,
            "OW107",
            id="it prints",
        ),
        pytest.param(
            SOLVER.replace("        return", "        out.clamp_(0)\n        return"),
            SCRIPT,
            "OW107",
            id="it changes what it is given",
        ),
        pytest.param(
            SOLVER,
            SCRIPT.replace("for x, y in", "self.scale *= 0.9\n        for x, y in"),
            "OW107",
            id="the script changes what it reads",
        ),
        pytest.param(
            SOLVER.replace("self.scale *", "self.weight() *")
            + "\n    def weight(self):\n        return 0.5\n",
            SCRIPT + "\n    def weight(self):\n        return 2.0\n",
            "OW107",
            id="the script overrides what it calls",
        ),
        pytest.param(
            SOLVER.replace("self.scale *", 'getattr(self, "weight") *'),
            SCRIPT,
            "OW107",
            id="it reads who knows what",
        ),
        pytest.param(
            SOLVER.replace("return self", "return super().penalty(out, y) + self"),
            SCRIPT,
            "OW107",
            id="it calls what comes behind it",
        ),
        pytest.param(
            SOLVER,
            SCRIPT + "\n    def end(self):\n        del Solver.penalty\n",
            "OW107",
            id="something deletes it",
        ),
        pytest.param(
            SOLVER,
            SCRIPT + "\n\nMine.penalty = abs\n",
            "OW107",
            id="something else is put in its place",
        ),
        pytest.param(
            SOLVER.replace("class Solver:", "from elsewhere import Base\n\n\nclass Solver(Base):"),
            SCRIPT,
            "OW107",
            id="a base that is not there may have one of its own",
        ),
        pytest.param(
            SOLVER.replace("self.scale *", "WEIGHTS(out) *") + "\n\nWEIGHTS = build_model()\n"
            "optimizer = torch.optim.SGD(WEIGHTS.parameters(), lr=1)\n",
            SCRIPT,
            "OW107",
            id="it runs a module of its own file",
        ),
        pytest.param(
            SOLVER.replace("(self)", "(self)").replace("class Solver:", "class Other:")
            + "\n    def weight(self):\n        return 1.0\n"
            + SOLVER.replace("self.scale *", "self.weight() *").replace("import torch\n", "")
            + "\n    def weight(self):\n        return 0.5\n",
            SCRIPT.replace("import Solver", "import Other, Solver").replace(
                "Mine(Solver)", "Mine(Other, Solver)"
            ),
            "OW107",
            id="another base in front overrides it and what it calls",
        ),
        pytest.param(
            SOLVER.replace("    def penalty", "    @staticmethod\n    def penalty"),
            SCRIPT,
            "OW107",
            id="a decorator makes something of it",
        ),
    ],
)
def test_a_method_that_is_not_certain_or_not_pure_is_refused(
    tmp_path: Path, solver: str, script: str, code: str
) -> None:
    (step,) = steps(tmp_path, script, solver=solver)
    assert step.code == code


def test_a_refusal_names_the_line_of_the_other_file(tmp_path: Path) -> None:
    solver = SOLVER.replace("        return", "        print(out)\n        return")
    (step,) = steps(tmp_path, solver=solver)
    assert "does `print(out)` on the way (solver.py:11)" in step.message
    assert "(line 17)" in step.message


def test_a_module_that_the_method_runs_is_held_by_the_wrapper(tmp_path: Path) -> None:
    solver = SOLVER.replace("(out - y)", "(self.model(y) - out)")
    (tmp_path / "solver.py").write_text(solver)
    held = SCRIPT.replace("out = self.model(x)", "out = self.net(x)")
    text = rewrite_beside(tmp_path / "train.py", held.replace("self.model.p", "self.net.p")).text
    assert "ort_module(ModuleWithLoss, self.net, self.model, self.penalty)" in text


ATTRIBUTE = SCRIPT.replace("self.penalty(out, y)", "self.mse(out, y)")


@pytest.mark.parametrize(
    ("before", "after", "known"),
    [
        pytest.param("self.scale = args.scale", "self.mse = nn.MSELoss()", True, id="every path"),
        pytest.param(
            "self.scale = args.scale",
            "if args.mse:\n            self.mse = nn.MSELoss()",
            False,
            id="one path",
        ),
        pytest.param(
            "self.scale = args.scale",
            "if args.early:\n            return\n        self.mse = nn.MSELoss()",
            False,
            id="behind an early return",
        ),
        pytest.param(
            "self.scale = args.scale",
            "self.mse = nn.MSELoss()\n        del self.mse",
            False,
            id="deleted again",
        ),
        pytest.param(
            "    def __init__(self, model, args):\n",
            "    mse: nn.Module\n\n    def __init__(self, model, args):\n",
            False,
            id="only annotated",
        ),
        pytest.param(
            "    def __init__(self, model, args):\n",
            "    mse = nn.MSELoss()\n\n    def __init__(self, model, args):\n",
            True,
            id="an attribute of the class",
        ),
    ],
)
def test_an_attribute_counts_as_bound_where_every_instance_gets_it(
    tmp_path: Path, before: str, after: str, known: bool
) -> None:
    assert before in SOLVER
    solver = "from torch import nn\n" + SOLVER.replace(before, after)
    (step,) = steps(tmp_path, ATTRIBUTE, solver=solver)
    assert step.code == (None if known else "OW106")


def test_a_constructor_that_may_not_run_gives_nothing(tmp_path: Path) -> None:
    solver = SOLVER.replace("self.scale = args.scale", "self.mse = torch.nn.MSELoss()")
    script = ATTRIBUTE.replace(
        "super().__init__(model, args)", "self.model, self.args = model, args"
    )
    (step,) = steps(tmp_path, script, solver=solver)
    assert step.code == "OW106"


LEARNER = """\
from base import Learner
import torch.nn.functional as F


class Ranker(Learner):
    def learn(self, x, y):
        loss = F.cross_entropy(self(x), y)
        loss.backward()
"""


MODULE = "from torch import nn\nclass Learner(nn.Module): pass\n"
EITHER = "try:\n    from a import Learner\nexcept ImportError:\n    Learner = None\n"
CIRCLE = {
    "base": "from c import Two\nclass Learner(Two): pass\n",
    "c": "from base import Learner\nclass Two(Learner): pass\n",
}


@pytest.mark.parametrize(
    ("files", "known"),
    [
        ({"base": MODULE}, True),
        ({"base": "from own import Learner\n", "own": MODULE}, True),
        ({"base": "class Learner: pass\n"}, False),
        ({"base": "from base import Learner\n"}, False),
        ({"base": EITHER, "a": MODULE}, False),
        ({"base": "class Learner(\n"}, False),
        ({"other": MODULE}, False),
        (CIRCLE, False),
    ],
    ids=["module", "handed on", "no module", "itself", "either", "no Python", "missing", "circle"],
)
def test_what_calls_itself_is_a_module_where_its_base_is(
    tmp_path: Path, files: dict[str, str], known: bool
) -> None:
    (step,) = steps(tmp_path, LEARNER, **files)
    assert step.code == (None if known else "OW101")


STAR = LEARNER.replace("from base import Learner", "from base import *")


@pytest.mark.parametrize(
    ("script", "files", "known"),
    [
        pytest.param(STAR, {"base": MODULE}, True, id="one"),
        pytest.param(STAR, {"base": "from own import *\n", "own": MODULE}, True, id="two"),
        pytest.param(STAR, {"base": "__all__ = ['Learner']\n" + MODULE}, True, id="offered"),
        pytest.param(STAR, {"base": "__all__ = ['Other']\n" + MODULE}, False, id="not offered"),
        pytest.param(STAR, {"base": "__all__ = names()\n" + MODULE}, False, id="who knows"),
        pytest.param(
            STAR.replace("*\n", "*\nfrom more import *\n"),
            {"base": MODULE, "more": "x = 1\n"},
            True,
            id="not in the one behind",
        ),
        pytest.param(
            STAR.replace("*\n", "*\nfrom more import *\n"),
            {"base": MODULE, "more": "class Learner: pass\n"},
            False,
            id="another one behind",
        ),
        pytest.param(
            STAR.replace("*\n", "*\nfrom library import *\n"),
            {"base": MODULE},
            False,
            id="a library behind",
        ),
        pytest.param(
            STAR.replace("*\n", "*\nfrom more import *\n"),
            {"base": MODULE, "more": "from library import *\n"},
            False,
            id="one behind that hands on a library",
        ),
        pytest.param(STAR, {"base": "from base import *\n"}, False, id="itself"),
    ],
)
def test_a_star_import_gives_what_the_last_file_has(
    tmp_path: Path, script: str, files: dict[str, str], known: bool
) -> None:
    (step,) = steps(tmp_path, script, **files)
    assert step.code == (None if known else "OW101")


def test_a_package_that_hands_on_what_thirty_files_have_is_read_to_the_one_asked_for(
    tmp_path: Path,
) -> None:
    files = {f"part_{i}": "x = 1\n" for i in range(30)} | {"base": MODULE}
    stars = "".join(f"from {name} import *\n" for name in reversed(files))
    (step,) = steps(tmp_path, LEARNER.replace("base", "parts"), parts=stars, **files)
    assert step.status == "rewritten"


def test_the_evidence_names_the_file_of_the_base_class(tmp_path: Path) -> None:
    (step,) = steps(
        tmp_path, LEARNER, base="from torch import nn\nclass Learner(nn.Module): pass\n"
    )
    assert any("whose base class `Learner` in base.py is a module" in e for e in step.evidence)


def test_no_file_is_read_where_none_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ortwrap.engine.names import elsewhere

    asked: list[str] = []
    monkeypatch.setattr(elsewhere, "_parsed", lambda text: asked.append(text))
    script = SCRIPT.replace("loss.backward()", "loss.backward()  # ortwrap: skip")
    (step,) = steps(tmp_path, script, solver=SOLVER)
    assert (step.status, asked) == ("skipped", [])


def test_a_second_rewrite_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "solver.py").write_text(SOLVER)
    once = rewrite_beside(tmp_path / "train.py", SCRIPT)
    again = rewrite_beside(tmp_path / "train.py", once.text)
    assert (again.text, [step.status for step in again.steps]) == (once.text, ["skipped"])


BYSTANDER = """\
import torch
from torch import nn
from helpers import note, WEIGHT

model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(batches):
    for x, y in batches:
        optimizer.zero_grad()
        out = model(x)
        print(note(y))
        loss = ((out - y) ** 2).mean()
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    ("helpers", "why"),
    [
        ("def note(y):\n    return half(y).sum()\ndef half(y):\n    return y / 2\n", None),
        ("WEIGHT = 2\ndef note(y):\n    return WEIGHT * y\n", None),
        ("def note(y):\n    seen = []\n    seen.append(1)\n    return seen\n", None),
        ("def note(y):\n    y.fill_(0)\n    return y\n", "changes `y`"),
        ("def note(y):\n    z = y\n    z.fill_(0)\n    return z\n", "changes `z`"),
        ("SEEN = []\ndef note(y):\n    SEEN.append(y)\n    return y\n", "SEEN"),
        ("N = 0\ndef note(y):\n    return N\ndef up():\n    global N\n    N += 1\n", "`N`, which"),
        ("N = [0]\ndef note(y):\n    return N[0]\ndef up():\n    N[0] += 1\n", "`N`, which"),
        ("def note(y):\n    return other(y)\n", "nothing is known about `other`"),
        ("from third import other\ndef note(y):\n    return other(y)\n", "about `other`"),
        ("def note(y):\n    return y.shuffled()\n", "about `y.shuffled`"),
        ("@cached\ndef note(y):\n    return y\n", "decorated"),
        ("def note(y):\n    yield y\n", "other code runs"),
        ("from helpers import note\n", "nothing is known about `note`"),
    ],
)
def test_a_function_elsewhere_may_be_passed_where_it_is_known_to_be_harmless(
    tmp_path: Path, helpers: str, why: str | None
) -> None:
    (step,) = steps(tmp_path, BYSTANDER, helpers=helpers)
    assert step.status == ("rewritten" if why is None else "refused")
    assert why is None or why in step.message


def test_functions_of_two_files_that_call_each_other_come_to_an_end(tmp_path: Path) -> None:
    one = "from two import back\ndef note(y):\n    return back(y) if y else y\n"
    two = "from helpers import note\ndef back(y):\n    return note(y)\n"
    (step,) = steps(tmp_path, BYSTANDER, helpers=one, two=two)
    assert step.status == "rewritten"


MADE = """\
import torch
from factory import Config, build


def train(config: Config, batches, loss_of):
    first = build(config)
    for x, y in batches:
        loss = ((first(x) - y) ** 2).mean()
        loss.backward()
"""
FACTORY = """\
import torch
from torch import nn


class Config:
    def make(self, kind):
        made = kind().to("cpu")
        return made, torch.optim.SGD(made.parameters(), lr=0.1)


def build(config):
    if config.deep:
        return nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    return nn.Linear(2, 2)
"""


METHOD = MADE.replace("first = build(config)", "first, _ = config.make(config.kind)")
BOTH = "return nn.Linear(2, 2)"


@pytest.mark.parametrize(
    ("script", "factory", "known"),
    [
        pytest.param(MADE, FACTORY, True, id="a function"),
        pytest.param(MADE.replace("(config)\n", "(config).to(0)\n"), FACTORY, True, id="moved"),
        pytest.param(METHOD, FACTORY, True, id="a method of a declared class"),
        pytest.param(METHOD.replace(": Config", ""), FACTORY, False, id="a method of who knows"),
        pytest.param(MADE, FACTORY.replace(BOTH, "return abs"), False, id="or something else"),
        pytest.param(MADE, FACTORY.replace(BOTH, "return nn.MSELoss()"), False, id="or a loss"),
        pytest.param(MADE, FACTORY + "\nbuild = abs\n", False, id="bound twice"),
    ],
)
def test_what_functions_elsewhere_make_is_known_by_all_that_they_return(
    tmp_path: Path, script: str, factory: str, known: bool
) -> None:
    (step,) = steps(tmp_path, script, factory=factory)
    assert step.code == (None if known else "OW101")


def test_files_that_make_things_of_each_other_come_to_an_end(tmp_path: Path) -> None:
    factory = FACTORY + "\nfrom parts import part\nthing = part()\n"
    parts = "from factory import build\ndef part():\n    return build(None)\nmade = build(None)\n"
    (step,) = steps(tmp_path, MADE, factory=factory, parts=parts)
    assert step.status == "rewritten"


OF_TORCH_BY_ITS_BASE = """\
from solver import Solver


class Mine(Solver):
    def train(self, batches):
        for x, y in batches:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
"""


def test_a_trainer_whose_base_class_imports_torch_trains_with_it(tmp_path: Path) -> None:
    (step,) = steps(tmp_path, OF_TORCH_BY_ITS_BASE, solver=SOLVER)
    assert step.status == "rewritten"


def test_a_trainer_whose_base_class_knows_no_torch_may_be_of_another_framework(
    tmp_path: Path,
) -> None:
    (step,) = steps(tmp_path, OF_TORCH_BY_ITS_BASE, solver="class Solver:\n    pass\n")
    assert step.code == "OW103"
