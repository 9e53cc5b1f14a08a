"""`--revert` puts back, byte for byte, what `--write` changed, unless somebody edited since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli_scripts import PLAIN, TRAINING

ORIGINAL = f"# coding: latin-1\r\n# Gr\u00fc\u00dfe\r\n{TRAINING}".encode("latin-1")


@pytest.fixture
def cached(ortwrap: Callable, tmp_path: Path) -> Callable:
    def run(*args: str) -> object:
        return ortwrap(*args, ORTWRAP_CACHE=str(tmp_path / "cache"))

    return run


def test_what_was_written_is_taken_back(cached: Callable, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_bytes(ORIGINAL)
    script.chmod(0o755)
    cached("rewrite", "--write", "train.py")
    assert script.read_bytes() != ORIGINAL
    run = cached("rewrite", "--revert", "train.py")
    assert (run.code, run.out, run.err) == (0, b"", "Reverted 1 file.\n")
    assert script.read_bytes() == ORIGINAL
    assert script.stat().st_mode & 0o777 == 0o755


def test_an_edited_file_is_refused_and_kept(cached: Callable, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(TRAINING)
    cached("rewrite", "--write", "train.py")
    script.write_text(script.read_text() + "\nprint('edited')\n")
    edited = script.read_bytes()
    run = cached("rewrite", "--revert", "train.py")
    assert run.code == 2
    assert run.err.startswith("train.py: error: is not as `ortwrap rewrite --write` left it")
    assert script.read_bytes() == edited


def test_in_a_folder_only_what_ortwrap_rewrote_is_touched(cached: Callable, tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "train.py").write_text(TRAINING)
    (source / "plain.py").write_text(PLAIN)
    cached("rewrite", "--write", "src")
    run = cached("rewrite", "--revert", "src")
    assert (run.code, run.err) == (0, "Reverted 1 file.\n")
    assert (source / "train.py").read_text() == TRAINING
    assert (source / "plain.py").read_text() == PLAIN


def test_a_cache_that_cannot_be_written_to_does_not_stop_a_rewrite(
    ortwrap: Callable, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(TRAINING)
    (tmp_path / "file").touch()
    cache = str(tmp_path / "file")
    written = ortwrap("rewrite", "--write", "train.py", ORTWRAP_CACHE=cache)
    assert written.code == 0
    assert written.err.splitlines()[1:] == [
        "--revert cannot bring back 1 original: the cache did not take it (not a directory). "
        "ORTWRAP_CACHE names another one."
    ]
    assert ortwrap("rewrite", "--check", "train.py", ORTWRAP_CACHE=cache).code == 0
    assert ortwrap("rewrite", "--revert", "train.py", ORTWRAP_CACHE=cache).code == 2
