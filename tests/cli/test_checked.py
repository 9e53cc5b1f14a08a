"""`--check` remembers what it found in a file's bytes, and never what it would find in others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cli_scripts import REFUSED, TRAINING


def test_a_second_check_says_the_same_without_libcst(ortwrap: Callable, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAINING)
    (tmp_path / "gan.py").write_text(REFUSED)
    cache = str(tmp_path / "cache")
    args = ("rewrite", "--check", "train.py", "gan.py")
    first = ortwrap(*args, ORTWRAP_CACHE=cache)
    entries = [path for path in Path(cache).rglob("*") if path.is_file()]
    assert len(entries) == 2
    second = ortwrap(*args, ORTWRAP_CACHE=cache, PYTHONPROFILEIMPORTTIME="1")
    assert "ortwrap.checked" in second.err
    assert " libcst" not in second.err
    said = [line for line in second.err.splitlines() if not line.startswith("import time:")]
    assert (first.code, first.out, first.err.splitlines()) == (second.code, second.out, said)
    assert first.code == 1


def test_other_options_or_other_bytes_are_looked_at_anew(ortwrap: Callable, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    cache = str(tmp_path / "cache")

    def check(*more: str) -> int:
        return ortwrap("rewrite", "--check", "train.py", *more, ORTWRAP_CACHE=cache).code

    script.write_text(TRAINING)
    assert check() == 1
    script.write_text(TRAINING.replace("loss.backward()", "print(loss)  # backward()"))
    assert check() == 0
    script.write_text(TRAINING)
    assert check() == 1
    assert len({path for path in Path(cache).rglob("*") if path.is_file()}) == 2
    check("--class-name", "Other")
    assert len({path for path in Path(cache).rglob("*") if path.is_file()}) == 3


def test_a_damaged_entry_is_as_none(ortwrap: Callable, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAINING)
    cache = tmp_path / "cache"
    ortwrap("rewrite", "--check", "train.py", ORTWRAP_CACHE=str(cache))
    for entry in cache.rglob("*"):
        if entry.is_file():
            entry.write_bytes(b'[{"nonsense": 1}]')
    assert ortwrap("rewrite", "--check", "train.py", ORTWRAP_CACHE=str(cache)).code == 1
