"""Several processes train: each is compared with its twin of the same rank, its output too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ortwrap.proof.runner import steps_of_the_lost
from tests.proof.conftest import SCRIPT, Check, replaced

# Starts what follows it twice, as `torchrun --nproc_per_node 2` does.
LAUNCHER = """\
import os, subprocess, sys

started = [subprocess.Popen(sys.argv[1:], env={**os.environ, "RANK": str(rank)}) for rank in (0, 1)]
sys.exit(max(abs(process.wait()) for process in started))
"""
RANKS = replaced(
    SCRIPT,
    "        optimizer.step()",
    "        optimizer.step()\n        print(f'{rank}: loss {loss.item() + rank:.4f}')",
)
RANKS = "import os\nrank = int(os.environ['RANK'])\n" + RANKS


@pytest.fixture
def twice(tmp_path: Path, launcher: tuple[str, ...]) -> tuple[str, ...]:
    """A launcher of two processes."""
    path = tmp_path / "twice.py"
    path.write_text(LAUNCHER, encoding="utf-8")
    return (sys.executable, str(path), *launcher)


def test_the_output_of_each_process_is_compared(check: Check, twice: tuple[str, ...]) -> None:
    verdict = check(RANKS, RANKS, launcher=twice)

    assert verdict.status == "match", (verdict.messages, verdict.output)
    assert [(each.rank, each.backwards, each.printed) for each in verdict.ranks] == [
        (0, 10, 9),
        (1, 10, 9),
    ]
    assert verdict.printed == 18
    assert {pair.line[:1] for pair in verdict.printed_pairs} == {"1"}


def test_what_one_process_prints_otherwise_is_caught(check: Check, twice: tuple[str, ...]) -> None:
    otherwise = replaced(RANKS, "loss.item() + rank", "loss.item() + 2 * rank")

    verdict = check(RANKS, otherwise, launcher=twice)

    first = verdict.first_difference
    assert verdict.status == "mismatch"
    assert first is not None
    assert (first.what, first.name, first.rank) == ("printed", "loss", 1)
    assert [each.max_printed_diff for each in verdict.ranks] == [0, pytest.approx(1)]


def test_a_weight_of_one_process_is_caught(check: Check, twice: tuple[str, ...]) -> None:
    moved = replaced(
        RANKS,
        "        optimizer.step()",
        "        optimizer.step(); model.aux.bias.data.add_(1e-3 * rank)",
    )

    verdict = check(RANKS, moved, launcher=twice, steps=2)

    first = verdict.first_difference
    assert first is not None
    assert (first.what, first.step, first.rank) == ("loss", 2, 1)
    assert "Net.aux.bias" in first.likely_cause
    assert verdict.ranks[0].max_loss_diff == verdict.ranks[0].max_param_diff == 0


def test_a_process_that_dies_is_told_on_both_sides(check: Check, twice: tuple[str, ...]) -> None:
    dies = replaced(
        RANKS,
        "        optimizer.step()",
        "        optimizer.step()\n        if rank == 1 and len(x) == 2: os.kill(os.getpid(), 9)",
    )

    by_itself = check(dies, RANKS, launcher=twice)
    patched = check(RANKS, dies, launcher=twice)

    assert by_itself.status == "error"
    assert by_itself.messages[-1].startswith("the original script lost a process and ended with")
    assert "after 7 of 10 steps" in by_itself.messages[-1]
    first = patched.first_difference
    assert patched.status == "mismatch"
    assert first is not None
    assert (first.what, first.step) == ("steps", 8)
    assert "the patched script lost a process" in first.likely_cause


def test_a_process_that_raises_is_named_by_its_rank(check: Check, twice: tuple[str, ...]) -> None:
    raises = replaced(
        RANKS,
        "        optimizer.step()",
        "        optimizer.step()\n"
        "        if rank == 1 and len(x) == 2: raise ValueError('too small')",
    )

    verdict = check(RANKS, raises, launcher=twice)

    assert verdict.status == "mismatch"
    assert "ValueError: too small in the process of rank 1 after 7 of 10" in verdict.messages[-1]


def test_of_a_process_that_hangs_its_progress_is_known(tmp_path: Path) -> None:
    (tmp_path / "0-11.progress").write_bytes(b"." * 10)
    (tmp_path / "0-11.recording").touch()
    assert steps_of_the_lost(tmp_path) is None

    (tmp_path / "1-12.progress").write_bytes(b"." * 7)
    assert steps_of_the_lost(tmp_path) == 7


def test_fewer_processes_train(check: Check, twice: tuple[str, ...]) -> None:
    one = "import os\nif os.environ['RANK'] == '1': raise SystemExit\n" + RANKS

    verdict = check(RANKS, one, launcher=twice)

    assert verdict.status == "mismatch"
    assert verdict.first_difference is None
    assert verdict.messages[-1] == ("2 processes of the original trained, 1 of the patched script")
