"""The cache: made once, whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ortwrap.cache import cache_folder
from ortwrap.runtime.compat.cache import NotWritable, cache_dir, make_once
from ortwrap.runtime.extensions import is_cached

_SLOW_MAKER = """
import sys, time
from pathlib import Path
from ortwrap.runtime.compat.cache import make_once

def make(scratch):
    print("making", flush=True)
    time.sleep(1)
    (scratch / "out").mkdir()
    (scratch / "out" / "binary").write_text("made")

folder = Path(sys.argv[1])
make_once(folder, make)
assert (folder / "binary").read_text() == "made"
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORTWRAP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fill(scratch: Path) -> None:
    (scratch / "out").mkdir()
    (scratch / "out" / "binary").write_text("made")


def test_two_processes_make_it_once(cache: Path) -> None:
    command = [sys.executable, "-c", _SLOW_MAKER, str(cache / "extensions" / "key")]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
        for _ in range(3)
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert "".join(outputs).split() == ["making"]


def test_what_is_there_is_not_made_again(cache: Path) -> None:
    def refuse(scratch: Path) -> None:
        raise AssertionError("made twice")

    make_once(cache / "key", fill)
    make_once(cache / "key", refuse)
    assert (cache / "key" / "binary").read_text() == "made"


def test_a_failure_leaves_nothing_that_looks_complete(cache: Path) -> None:
    def fail(scratch: Path) -> None:
        fill(scratch)
        raise RuntimeError("compiler died")

    with pytest.raises(RuntimeError, match="compiler died"):
        make_once(cache / "extensions" / "key", fail)
    assert list((cache / "extensions").iterdir()) == []
    make_once(cache / "extensions" / "key", fill)
    assert (cache / "extensions" / "key" / "binary").is_file()


def test_what_a_killed_process_left_is_swept_up(cache: Path) -> None:
    (cache / "extensions" / "making-killed" / "sources").mkdir(parents=True)
    make_once(cache / "extensions" / "key", fill)
    assert [path.name for path in (cache / "extensions").iterdir()] == ["key"]


def test_a_cache_that_cannot_be_written_to_is_named(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(NotWritable, match=r"cannot be written to.*ORTWRAP_CACHE"):
        make_once(cache / "key", fill)


def test_a_user_without_a_home_is_asked_for_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that is run under a number of which no name is known."""

    def unknown(number: int) -> None:
        raise KeyError(number)

    for name in ("ORTWRAP_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    with pytest.raises(NotWritable, match="ORTWRAP_CACHE"):
        cache_dir()
    with pytest.raises(OSError, match="no home folder is known"):
        cache_folder("originals")
    assert not is_cached()


def test_the_cache_is_where_the_user_says(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_dir() == cache
    monkeypatch.delenv("ORTWRAP_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere/cache")
    assert cache_dir() == Path("/somewhere/cache/ortwrap")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_dir() == Path.home() / ".cache" / "ortwrap"
