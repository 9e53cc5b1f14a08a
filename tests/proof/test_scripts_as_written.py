"""The recorder runs scripts as people write them, and leaves their files alone."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from ortwrap.proof.verify import verify
from tests.proof.conftest import AS_ITS_USER, SCRIPT, Check, replaced
from tests.proof.fifo import Fifo

MAIN = f"""\
def main():
{textwrap.indent(SCRIPT, "    ")}

if __name__ == "__main__":
    main()
"""


def test_the_same_script_matches_exactly_and_says_that_it_ran_eagerly(check: Check) -> None:
    verdict = check(SCRIPT, SCRIPT)

    assert verdict.status == "match"
    assert verdict.exit_code == 0
    assert (verdict.steps, verdict.backwards) == (10, 10)
    assert verdict.max_loss_diff == verdict.max_param_diff == verdict.max_buffer_diff == 0
    assert verdict.execution.ran_on == "eager"
    assert verdict.execution.reasons == ("the patched script never called its wrapper",)
    assert verdict.execution.loss_in_graph is False
    assert verdict.ratio is not None
    assert verdict.dropout == "off"


# As hydra does it: a decorator that makes a folder for the run and goes there.
COMMAND = f"""\
import os
import click


@click.command()
@click.option("--runs", default="outputs")
def main(runs):
    assert os.popen("stty size").read().split() == ["24", "80"]
    try:
        input("go on? ")
    except EOFError:
        pass
    os.makedirs(runs, exist_ok=True)
    os.chdir(runs)
{textwrap.indent(SCRIPT, "    ")}
    os._exit(3)


main()
"""

GAN = """\
import copy, os, runpy, sys
import torch
from torch import nn

if __name__ == "__main__":
    runpy.run_path(__file__, run_name="train")
elif __name__ == "train":
    generator, critic = nn.Linear(4, 8), nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    average = copy.deepcopy(generator)
    of_generator = torch.optim.Adam(generator.parameters(), lr=1e-2)
    of_critic = torch.optim.SGD(critic.parameters(), lr=1e-2)
    scaler = torch.amp.GradScaler("cpu")
    criterion = nn.BCEWithLogitsLoss()
    while True:
        real, fake = torch.randn(16, 8), generator(torch.randn(16, 4))
        of_critic.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            right = criterion(critic(real), torch.ones(16, 1))
            wrong = criterion(critic(fake.detach()), torch.zeros(16, 1))
        scaler.scale(right).backward()
        scaler.scale(wrong).backward()
        scaler.step(of_critic)
        of_generator.zero_grad()
        scaler.scale(criterion(critic(fake), torch.ones(16, 1))).backward()
        scaler.step(of_generator)
        scaler.update()
        for kept, now in zip(average.parameters(), generator.parameters()):
            kept.data.lerp_(now.data, 0.1)
"""

BODIES = {
    "behind a click command, leaving by os._exit": COMMAND,
    "a GAN without end, in mixed precision, by runpy": GAN,
    "in a main function": MAIN,
    "with DataLoader workers": replaced(MAIN, "shuffle=True", "shuffle=True, num_workers=2"),
    "catching Exception around the step": replaced(
        SCRIPT,
        "        optimizer.step()",
        "        try:\n            optimizer.step()\n        except Exception:\n            pass",
    ),
    "catching everything around the step": replaced(
        SCRIPT,
        "        optimizer.step()",
        "        try:\n            optimizer.step()\n        except:\n            pass",
    ),
    "printing a lot": replaced(
        SCRIPT, "    weight *= 0.5", "    print('x' * 5_000_000, flush=True)\n    weight *= 0.5"
    ),
    "with a progress bar": replaced(
        SCRIPT, "        optimizer.step()", "        optimizer.step(); print('step', end='\\r')"
    ),
    "changing directory": replaced(
        SCRIPT, "model = Net()", "import os, tempfile; os.chdir(tempfile.mkdtemp()); model = Net()"
    ),
    "training in a thread": "import threading\n"
    + replaced(
        MAIN,
        "    main()",
        "    t = threading.Thread(target=main); t.start(); t.join()",
    ),
    "with two optimizers": replaced(
        replaced(
            SCRIPT, "optimizer = torch",
            "head = torch.optim.Adam(model.head.parameters())\nbody = torch",
        ),
        "        optimizer.step()",
        "        head.step()\n        body.step()",
    ).replace("optimizer.zero_grad()", "head.zero_grad(); body.zero_grad()"),
    "accumulating gradients": replaced(
        SCRIPT,
        "        optimizer.step()",
        "        if torch.rand(()) < 0.5:\n            optimizer.step()",
    ),
    "with a closure": replaced(
        replaced(
            SCRIPT,
            "SGD(model.parameters(), lr=0.1, momentum=0.9)",
            "LBFGS(model.parameters(), lr=0.1, max_iter=3)",
        ),
        "        optimizer.step()",
        """\
        def closure():
            optimizer.zero_grad()
            logits, value = model(x)
            loss = criterion(logits, y)
            loss.backward()
            return loss
        optimizer.step(closure)""",
    ),
    "drawing from numpy and random": replaced(
        SCRIPT,
        "weight = 0.5",
        "import random, numpy\nweight = random.random() + numpy.random.rand() "
        "+ numpy.random.default_rng().random()",
    ),
    "with float64 and frozen parameters": replaced(
        SCRIPT,
        "model = Net()",
        "torch.set_default_dtype(torch.float64)\nmodel = Net().double()\n"
        "model.aux.weight.requires_grad = False",
    ).replace("model(x)", "model(x.double())"),
}  # fmt: skip


@pytest.mark.parametrize("how", BODIES)
def test_runs_unchanged(check: Check, how: str) -> None:
    steps = 21 if "os._exit" in how else 8
    start = AS_ITS_USER if "workers" in how else {}
    verdict = check(BODIES[how], BODIES[how], steps=steps + ("os._exit" in how), **start)

    assert verdict.status == "match", verdict.messages
    assert verdict.steps == steps
    assert verdict.backwards >= 8 or "two optimizers" in how
    assert verdict.max_loss_diff == verdict.max_param_diff == 0


def test_fewer_steps_than_asked_for(check: Check) -> None:
    verdict = check(SCRIPT, SCRIPT, steps=100)

    assert verdict.status == "match"
    assert verdict.steps == 21
    assert "21 of the 100 steps" in verdict.messages[-1]


def test_a_script_that_exits_after_its_steps(check: Check) -> None:
    exits = SCRIPT + "import sys; sys.exit(3)\n"

    assert check(exits, exits, steps=100).status == "match"


def test_arguments_reach_the_script(check: Check) -> None:
    parser = "import argparse\nparser = argparse.ArgumentParser()\n"
    takes = parser + "parser.add_argument('--lr', type=float, required=True)\n" + SCRIPT
    takes = replaced(takes, "lr=0.1", "lr=parser.parse_args().lr")

    assert check(takes, takes, args=("--lr", "0.2")).status == "match"
    refused = check(takes, takes, args=("--rate", "0.2"))
    assert refused.status == "error"
    assert "exit code 2 before its first step" in refused.messages[-1]
    assert "--lr" in refused.output


def test_an_original_that_fails_is_told_apart_from_a_failing_rewrite(check: Check) -> None:
    verdict = check(replaced(SCRIPT, "Net()", "Nett()"), SCRIPT)

    assert verdict.status == "error"
    assert verdict.messages[-1].startswith("the original script")
    assert "NameError" in verdict.output
    assert "train.py" in verdict.output
    assert "/run/" not in verdict.output


def test_an_original_without_a_training_step(check: Check) -> None:
    verdict = check("print('hello')\n", SCRIPT)

    assert verdict.status == "error"
    assert "without a backward, and without a step" in verdict.messages[-1]


def test_a_script_that_hangs_is_ended(check: Check) -> None:
    verdict = check("import time; time.sleep(600)\n", SCRIPT, timeout=2)

    assert verdict.status == "error"
    assert "took longer than 2 s" in verdict.messages[-1]


def test_without_an_optimizer_every_backward_is_a_step(check: Check) -> None:
    by_hand = replaced(
        SCRIPT,
        "        optimizer.step()",
        "        for p in model.parameters():\n            p.data.add_(-0.1 * p.grad)",
    )
    by_hand = replaced(
        by_hand, "optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)", ""
    )
    by_hand = replaced(by_hand, "optimizer.zero_grad()", "model.zero_grad()")

    verdict = check(by_hand, by_hand, steps=30)

    assert verdict.status == "match"
    assert (verdict.steps, verdict.steps_by, verdict.backwards) == (21, "backward", 21)
    assert "every backward counts as a step" in verdict.messages[-1]
    assert verdict.max_param_diff == 0
    assert verdict.max_buffer_diff == 0


def test_backwards_before_the_first_step_are_no_steps(check: Check) -> None:
    accumulates = replaced(SCRIPT, "        optimizer.step()", """\
        if (seen := globals().get("seen", 0) + 1) % 6 == 0:
            optimizer.step()""")  # fmt: skip

    verdict = check(accumulates, accumulates, steps=3)

    assert verdict.status == "match"
    assert (verdict.steps, verdict.steps_by, verdict.backwards) == (3, "optimizer", 18)


def test_dropout_is_off_everywhere_unless_kept(check: Check) -> None:
    layers = """\
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import dropout

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 8, num_layers=2, dropout=0.5, batch_first=True)
        self.attention = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True)
        self.alpha, self.channels = nn.AlphaDropout(0.5), nn.Dropout1d(0.5)
    def forward(self, x):
        x, _ = self.lstm(x)
        x, _ = self.attention(x, x, x, need_weights=False)
        x = F.scaled_dot_product_attention(x, x, x, dropout_p=0.5)
        x = self.channels(self.alpha(dropout(torch.dropout(x, 0.5, True), 0.5)))
        return F.dropout(x, 0.5, inplace=True)

torch.manual_seed(0)
model, x = Net(), torch.randn(4, 5, 8)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    torch.manual_seed(OFFSET)
    optimizer.zero_grad()
    model(x).pow(2).mean().backward()
    optimizer.step()
"""
    # With other masks on the two sides only runs without dropout can agree.
    sides = replaced(layers, "OFFSET", "1"), replaced(layers, "OFFSET", "2")

    assert check(*sides, steps=3).status == "match"
    kept = check(*sides, steps=3, keep_dropout=True, seeds=3)
    assert (kept.status, kept.dropout, kept.seeds) == ("match", "on", 3)
    assert len({loss for each in kept.distributions for loss in each.original}) == 9
    assert all(each.original != each.patched for each in kept.distributions)


def test_what_the_script_writes_stays_in_its_copy(check: Check, tmp_path: Path) -> None:
    writes = (
        SCRIPT
        + """
import os, pathlib
torch.save(model.state_dict(), "checkpoint.pt")
torch.save(model.state_dict(), "../shared/large.pt")
pathlib.Path("runs").mkdir(exist_ok=True)
pathlib.Path("runs/log.txt").write_text("overwritten")
with open("../shared/log.txt", "a") as log:
    log.write("appended")
os.remove("../shared/old.txt")
os.makedirs("../new", exist_ok=True)
assert pathlib.Path("../shared/log.txt").read_text() == "keptappended"
assert not pathlib.Path("../shared/old.txt").exists()
assert pathlib.Path(__file__).parent == pathlib.Path.cwd()
"""
    )
    files = {
        "project/checkpoint.pt": "kept",
        "project/runs/log.txt": "kept",
        "shared/large.pt": "kept",
        "shared/log.txt": "kept",
        "shared/old.txt": "kept",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)

    verdict = check(writes, writes, steps=100)

    assert verdict.status == "match", verdict.output
    assert {name: (tmp_path / name).read_text() for name in files} == files
    assert not (tmp_path / "new").exists()


def test_nothing_is_left_behind(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    fifo = Fifo(tmp_path / "fifo")
    forks = replaced(SCRIPT, "model = Net()", f"{fifo.held_by_helpers}\nmodel = Net()")

    verdict = check(forks, forks, steps=2, **AS_ITS_USER)

    assert verdict.status == "match", verdict.output
    assert list(temporary.iterdir()) == []
    fifo.wait_until_nobody_holds_it()


def test_a_script_started_from_elsewhere_finds_its_files(
    tmp_path: Path, launcher: tuple[str, ...]
) -> None:
    folder = tmp_path / "repo" / "examples"
    folder.mkdir(parents=True)
    (folder / "helper.py").write_text("WEIGHT = 0.25\n")
    (tmp_path / "repo" / "settings.txt").write_text("0.1")
    text = replaced(SCRIPT, "weight = 0.5", "from helper import WEIGHT as weight")
    text = replaced(text, "lr=0.1", "lr=float(open('settings.txt').read())")
    (folder / "train.py").write_text(text)

    verdict = verify(
        folder / "train.py",
        patched=folder / "train.py",
        cwd=tmp_path / "repo",
        steps=2,
        launcher=launcher,
    )

    assert verdict.status == "match", verdict.output


def test_a_module_of_a_package(tmp_path: Path) -> None:
    package = tmp_path / "src" / "pkg"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "settings.py").write_text("WEIGHT = 0.25\n")
    text = replaced(SCRIPT, "weight = 0.5", "from .settings import WEIGHT as weight")
    (package / "train.py").write_text(text)

    verdict = verify(package / "train.py", patched=package / "train.py", cwd=tmp_path, steps=2)

    assert verdict.status == "match", verdict.output


@pytest.mark.parametrize("marker", ["__init__.py", "notes.txt"])
def test_a_script_that_imports_from_the_folder_it_is_in(
    tmp_path: Path, launcher: tuple[str, ...], marker: str
) -> None:
    # As `python -m tools_of_ours.train` is started.
    folder = tmp_path / "tools_of_ours"
    folder.mkdir()
    (folder / marker).touch()
    (folder / "settings.py").write_text("WEIGHT = 0.25\n")
    text = replaced(SCRIPT, "weight = 0.5", "from tools_of_ours.settings import WEIGHT as weight")
    (folder / "train.py").write_text(text)

    verdict = verify(
        folder / "train.py",
        patched=folder / "train.py",
        cwd=tmp_path,
        steps=2,
        launcher=launcher,
    )

    assert verdict.status == "match", verdict.output


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    verdict = verify(tmp_path / "none.py", patched=tmp_path / "none.py")

    assert verdict.status == "error"
    assert "no such file" in verdict.messages[-1]


def test_a_loss_that_no_gradient_leaves(check: Check) -> None:
    # Cross entropy over one class is 0 for every weight, as in a well-known tutorial.
    zero = """\
import torch
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    loss = torch.nn.functional.cross_entropy(model(torch.randn(5, 4)), torch.rand(5, 1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
    by_hand = replaced(zero, "    optimizer.step()\n", "")

    assert check(zero, zero, steps=3).status == "match"
    assert check(by_hand, by_hand, steps=3).status == "match"


def test_losses_that_are_no_numbers_prove_nothing(check: Check) -> None:
    never = replaced(SCRIPT, "weight = 0.5", "weight = float('nan')")
    at_last = replaced(SCRIPT, "weight *= 0.5", "weight = float('nan')")

    assert "no loss of the original is a finite number" in check(never, never).messages[-1]
    partly = check(at_last, at_last)
    assert partly.status == "match"
    assert "3 of 10 losses of the original are not finite" in partly.messages[-1]


def test_an_exit_that_the_script_reports_itself_is_told(check: Check) -> None:
    hides = "import sys\nsys.excepthook = lambda *_: None\n" + replaced(
        SCRIPT, "        optimizer.step()", "        optimizer.step()\n        1 / 0"
    )

    verdict = check(hides, hides)

    assert (
        verdict.messages[-1] == "the script made 1 of the 10 steps asked for and ended with "
        "exit code 1"
    )
