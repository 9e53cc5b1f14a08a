"""Small real training scripts, run for real under torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

pytest.importorskip("torch")

from ortwrap.proof.patched import Patched
from ortwrap.proof.trial import Setting
from ortwrap.proof.verdict import Verdict
from ortwrap.proof.verification import Verification
from ortwrap.proof.verify import verify
from tests.proof.warm import warm_python

SCRIPT = """\
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5))
        self.head = nn.Linear(16, 3)
        self.aux = nn.Linear(16, 1)

    def forward(self, x):
        hidden = self.body(x)
        return self.head(hidden), self.aux(hidden).squeeze(1)


data = TensorDataset(torch.randn(50, 8), torch.randint(0, 3, (50,)), torch.randn(50))
loader = DataLoader(data, batch_size=8, shuffle=True)
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
criterion = nn.CrossEntropyLoss()
weight = 0.5
for epoch in range(3):
    for x, y, t in loader:
        optimizer.zero_grad()
        logits, value = model(x)
        loss = criterion(logits, y) + weight * ((value - t) ** 2).mean()
        loss.backward()
        optimizer.step()
    weight *= 0.5
"""

# Updates its weights without an optimizer, without end.
BY_HAND = """\
import torch
from torch import nn

model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
while True:
    x = torch.randn(16, 4)
    model.zero_grad()
    loss = ((model(x) - x.sum(1, keepdim=True)) ** 2).mean()
    loss.backward()
    for parameter in model.parameters():
        parameter.data.add_(-0.1 * parameter.grad)
"""

Check = Callable[..., Verdict]

# What a test hands to `check` to have a script started as its user starts it, by `python`.
AS_ITS_USER = {"launcher": ()}


@pytest.fixture(scope="session")
def launcher() -> Iterator[tuple[str, ...]]:
    """Runs a script as `python` does, without the seconds that importing torch takes."""
    with warm_python() as command:
        yield command


@pytest.fixture
def check(tmp_path: Path, launcher: tuple[str, ...]) -> Check:
    """Verify a script's text against the text of its patched twin."""

    def run(original: str, patched: str, **options: Any) -> Verdict:
        folder = tmp_path / "project"
        folder.mkdir(exist_ok=True)
        script, twin = folder / "train.py", tmp_path / "patched.py"
        script.write_text(original, encoding="utf-8")
        twin.write_text(patched, encoding="utf-8")
        settings = {
            "steps": 10,
            "cwd": folder,
            "other_seed": "never",
            "launcher": launcher,
            **options,
        }
        return verify(script, patched=twin, **settings)

    return run


@pytest.fixture(scope="session")
def against(
    tmp_path_factory: pytest.TempPathFactory, launcher: tuple[str, ...]
) -> Callable[[str, str], Verdict]:
    """The same as `check`, but an original is run only once for all its patched twins."""
    known: dict[str, Verification] = {}

    def run(original: str, patched: str) -> Verdict:
        if original not in known:
            folder = tmp_path_factory.mktemp("project")
            script = folder / "train.py"
            script.write_text(original, encoding="utf-8")
            setting = Setting(
                script=script,
                args=(),
                cwd=folder,
                steps=10,
                seed=0,
                keep_dropout=False,
                transparent=(),
                launcher=launcher,
                timeout=None,
                workspace=tmp_path_factory.mktemp("workspace"),
            )
            blank = Verdict(status="error", script=str(script))
            known[original] = Verification(setting, blank, ask_other_seed="never")
        return known[original].of(Patched(patched.encode(), ()))

    return run


def replaced(text: str, old: str, new: str) -> str:
    """`text` with `old`, which must be there, replaced."""
    assert old in text
    return text.replace(old, new)
