"""What a script does outside of its folder is undone, and what killed runs left is swept."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from ortwrap.proof.put_back import put_back
from ortwrap.proof.recorder.outside import JOURNAL, Journal, TooLargeToKeep
from ortwrap.proof.recorder.writes import writes
from ortwrap.proof.workspace import workspace
from tests.proof.conftest import SCRIPT, Check, replaced


def test_checkpoints_by_their_full_path_are_as_before_and_start_no_other_run(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    own, old = tmp_path / "project" / "runs", tmp_path / "elsewhere" / "best.pt"
    old.parent.mkdir()
    old.write_text("kept")
    resumes = replaced(
        SCRIPT,
        "optimizer = torch",
        f"import os, pathlib\nown = pathlib.Path({str(own)!r})\n"
        "own.mkdir(exist_ok=True)\nif (own / 'last.pt').exists():\n"
        "    model.load_state_dict(torch.load(own / 'last.pt'))\noptimizer = torch",
    )
    resumes += f"""
torch.save(model.state_dict(), own / "last.pt")
torch.save(model.state_dict(), {str(old)!r})
os.makedirs(os.path.expanduser("~/runs"))
with open(os.path.expanduser("~/runs/log.txt"), "w") as log:
    log.write("new")
"""

    verdict = check(resumes, resumes, steps=100)

    assert verdict.status == "match", (verdict.messages, verdict.output)
    assert verdict.max_loss_diff == 0
    assert old.read_text() == "kept"
    assert list((tmp_path / "home").iterdir()) == []
    assert not own.exists()
    assert any("writes outside of its folder" in message for message in verdict.messages)


def test_every_kind_of_change_is_undone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "tree" / "deep").mkdir(parents=True)
    for name in ("removed", "renamed", "appended", "tree/deep/file", "target"):
        (home / name).write_text("kept")
    (home / "link").symlink_to("target")
    before = _content(home)
    journal = Journal(str(tmp_path / JOURNAL), [str(tmp_path / "own")])

    def change(event: str, *args: object) -> None:
        for write in writes(event, args):
            journal.note(write)

    change("os.remove", home / "removed")
    (home / "removed").unlink()
    change("os.rename", home / "renamed", home / "other")
    (home / "renamed").rename(home / "other")
    change("open", home / "appended", "a", os.O_APPEND)
    (home / "appended").write_text("more")
    change("open", home / "appended", "a", os.O_APPEND)
    change("shutil.rmtree", home / "tree")
    shutil.rmtree(home / "tree")
    change("os.remove", home / "link")
    (home / "link").unlink()
    for name in ("new", "new/below"):
        change("os.mkdir", home / name)
        (home / name).mkdir()
    change("open", home / "new" / "below" / "file", "w", 0)
    (home / "new" / "below" / "file").write_text("new")

    change("open", home, None, os.O_RDWR | getattr(os, "O_TMPFILE", 0))
    change("os.mkdir", home)
    assert not list((tmp_path / JOURNAL).glob("*.kept/*/target"))

    put_back(tmp_path / JOURNAL)

    assert _content(home) == before
    assert not (tmp_path / JOURNAL).exists()


def test_what_is_too_large_to_keep_is_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ortwrap.proof.recorder.outside._KEPT_AT_MOST", 3)
    journal = Journal(str(tmp_path / JOURNAL), [])
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "weights").write_text("kept")

    for event, args in (("open", ("tree/weights", "w", 0)), ("shutil.rmtree", ("tree",))):
        (write,) = writes(event, (tmp_path / args[0], *args[1:]))
        with pytest.raises(TooLargeToKeep, match="outside of its folder"):
            journal.note(write)


def test_what_is_its_own_or_a_cache_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "models"))
    journal = Journal(str(tmp_path / JOURNAL), [str(tmp_path / "own")])

    for path in ("own/file", "models/hub/file", "__pycache__/file"):
        for write in writes("open", (tmp_path / path, "w", 0)):
            journal.note(write)

    assert not (tmp_path / JOURNAL).exists()


def test_what_killed_runs_left_goes_and_what_others_hold_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    checkpoint = tmp_path / "checkpoint"
    checkpoint.write_text("kept")
    killed, alive, foreign = (tmp_path / f"ortwrap-{name}" for name in ("1", "2", "3"))
    for folder in (killed, alive, foreign):
        (folder / "original").mkdir(parents=True)
    for folder in (killed, alive):
        (folder / "lock").touch()
    journal = Journal(str(killed / "original" / JOURNAL), [])
    for write in writes("open", (checkpoint, "w", 0)):
        journal.note(write)
    checkpoint.write_text("overwritten")

    with open(alive / "lock", "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with workspace() as mine, workspace() as other:
            assert mine.exists()
            assert other.exists()

    assert checkpoint.read_text() == "kept"
    assert not killed.exists()
    assert alive.exists()
    assert foreign.exists()
    assert not mine.exists()


def _content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink()
        else path.read_text() if path.is_file() else ""
        for path in folder.rglob("*")
    }  # fmt: skip
