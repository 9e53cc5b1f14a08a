"""Many files in a pool: the same outcomes in the same order, and one crash is one file's."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_scripts import PLAIN, TRAINING

from ortwrap import workers
from ortwrap.engine.options import Options
from ortwrap.files import rewrite_file
from ortwrap.outcome import Outcome

OPTIONS = Options()


def crash_on_demand(path: str, options: Options) -> Outcome:
    """The job of a file that takes its process down, as a parser's stack overflow would."""
    if path.endswith("deadly.py"):
        os._exit(11)
    return rewrite_file(path, options)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for index in range(6):
        (tmp_path / f"{index}.py").write_text(TRAINING if index % 2 else PLAIN)
    (tmp_path / "deadly.py").write_text(PLAIN)
    return [str(path) for path in sorted(tmp_path.iterdir())]


def test_a_pool_gives_what_a_loop_gives(files: list[str]) -> None:
    alone = [rewrite_file(path, OPTIONS) for path in files]
    assert list(workers.run(rewrite_file, files, OPTIONS)) == alone


def test_one_file_that_kills_its_process_is_one_fault(files: list[str]) -> None:
    outcomes = list(workers.run(crash_on_demand, files, OPTIONS))
    assert [outcome.path for outcome in outcomes] == files
    faults = [outcome for outcome in outcomes if outcome.fault is not None]
    assert [Path(outcome.path).name for outcome in faults] == ["deadly.py"]
    assert "its process died" in str(faults[0].fault)


def test_a_folder_large_enough_for_a_pool(ortwrap: Callable, tmp_path: Path) -> None:
    for index in range(12):
        (tmp_path / f"{index:02}.py").write_text(TRAINING)
    (tmp_path / "05.py").write_text("import torch\nloss.backward(\n")
    run = ortwrap("rewrite", "--write", ".")
    assert run.code == 2
    assert run.err.splitlines()[0].startswith("05.py:2:")
    assert run.err.splitlines()[-1] == "Rewrote 11 steps in 11 files, 1 error."
    assert (tmp_path / "11.py").read_text() != TRAINING
