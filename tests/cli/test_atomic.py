"""Files are replaced whole or not at all; what they are beyond their bytes survives."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ortwrap.source import SourceError, write


def test_mode_is_kept(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_bytes(b"old")
    script.chmod(0o751)
    write(str(script), b"new")
    assert script.read_bytes() == b"new"
    assert stat.S_IMODE(script.stat().st_mode) == 0o751
    assert os.listdir(tmp_path) == ["train.py"]


def test_a_new_file_has_the_mode_of_new_files(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write(str(tmp_path / "new.py"), b"new")
    assert (tmp_path / "new.py").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "train.py"
    target.write_bytes(b"old")
    link = tmp_path / "link.py"
    link.symlink_to(Path("real") / "train.py")
    write(str(link), b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path / "real") == ["train.py"]


def test_a_read_only_file_is_refused_whoever_asks(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_bytes(b"old")
    script.chmod(0o444)
    with pytest.raises(SourceError, match="is read-only; nothing was written"):
        write(str(script), b"new")
    assert script.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["train.py"]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="its folder does not exist; nothing was written"):
        write(str(tmp_path / "missing" / "train.py"), b"new")


def test_a_pipe_is_written_to_and_not_replaced() -> None:
    write(os.devnull, b"new")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_without_unnamed_files_the_named_one_is_removed_on_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS and NFS; the failure is that of a full disk."""
    script = tmp_path / "train.py"
    script.write_bytes(b"old")
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    write(str(script), b"new")
    assert script.read_bytes() == b"new"

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SourceError, match="no space left on device; nothing was written"):
        write(str(script), b"newer")
    assert script.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["train.py"]


def test_what_a_killed_run_left_is_swept_and_a_running_one_is_not(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_bytes(b"old")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = tmp_path / f".train.py.{dead.pid}.ortwrap-tmp"
    alive = tmp_path / f".train.py.{os.getppid()}.ortwrap-tmp"
    left.touch()
    alive.touch()
    write(str(script), b"new")
    assert sorted(os.listdir(tmp_path)) == sorted([alive.name, "train.py"])


_KILLED = """
import sys
from ortwrap.source import write
print(flush=True)
for turn in range(1_000_000):
    for index in range(20):
        write(f"{sys.argv[1]}/{index}.py", b"%d" % (turn % 10) * 200_000)
"""


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs unnamed files")
def test_killed_at_any_moment_every_file_is_old_or_new(tmp_path: Path) -> None:
    for index in range(20):
        (tmp_path / f"{index}.py").write_bytes(b"0" * 200_000)
    for turn in range(15):
        process = subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(tmp_path)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.01 + turn * 0.007)
        process.kill()
        process.communicate()
        contents = [(tmp_path / f"{index}.py").read_bytes() for index in range(20)]
        assert all(len(content) == 200_000 for content in contents)
        assert all(len(set(content)) == 1 for content in contents)
    assert not list(tmp_path.glob(".*"))
