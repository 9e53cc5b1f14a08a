"""The copy that a script runs in, and writes that stay there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ortwrap.proof import sandbox as module
from ortwrap.proof.patched import CannotVerify
from ortwrap.proof.recorder.copy_up import copy_up
from ortwrap.proof.sandbox import sandbox


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "project"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "train.py").write_text("print()")
    (folder / "data").mkdir()
    (folder / "data" / "large.bin").write_bytes(b"12345")
    (tmp_path / "home" / "shared").mkdir()
    (tmp_path / "home" / "shared" / "file").write_text("kept")
    return folder


def test_a_tree_is_copied_and_its_neighbours_are_linked(project: Path) -> None:
    with sandbox(project / "pkg" / "train.py", project) as place:
        assert place.script == place.cwd / "pkg" / "train.py"
        assert place.script.read_text() == "print()"
        assert not (place.cwd / "data").is_symlink()
        assert (place.cwd.parent / "shared").is_symlink()
        assert place.in_users_paths(f"File {place.script}") == f"File {project}/pkg/train.py"
    assert not place.root.exists()


def test_the_same_paths_for_both_sides(project: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with sandbox(project / "pkg" / "train.py", project, workspace) as first:
        pass
    with sandbox(project / "pkg" / "train.py", project, workspace) as second:
        assert second == first


def test_what_is_large_is_linked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_COPIED_FILE", 4)
    with sandbox(project / "pkg" / "train.py", project) as place:
        assert (place.cwd / "data" / "large.bin").is_symlink()


def test_a_folder_of_many_files_is_linked_as_a_whole_but_not_the_scripts(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_COPIED_ENTRIES", 0)
    with sandbox(project / "pkg" / "train.py", project) as place:
        assert (place.cwd / "data").is_symlink()
        assert not place.script.is_symlink()


def test_broken_and_circular_links_and_unreadable_files_stop_nothing(project: Path) -> None:
    (project / "broken").symlink_to(project / "nothing")
    (project / "a").symlink_to(project / "b")
    (project / "b").symlink_to(project / "a")
    (project / "up").symlink_to(project)
    os.mkfifo(project / "pipe")
    with sandbox(project / "pkg" / "train.py", project) as place:
        assert place.script.exists()
        assert (place.cwd / "up").is_symlink()


def test_a_full_disk_is_told_instead_of_running_half_of_the_files(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: str, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.shutil, "copy2", full)
    script = project / "pkg" / "train.py"
    with pytest.raises(CannotVerify, match="TMPDIR"), sandbox(script, project):
        pass


def test_a_workspace_inside_of_what_is_copied_is_left_out(project: Path) -> None:
    workspace = project / "tmp"
    workspace.mkdir()
    with sandbox(project / "pkg" / "train.py", project, workspace) as place:
        assert not (place.cwd / "tmp").exists()


def test_script_and_working_directory_apart(project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "settings").write_text("1")
    with sandbox(project / "pkg" / "train.py", elsewhere) as place:
        assert (place.cwd / "settings").read_text() == "1"
        assert place.script.name == "train.py"
        assert place.cwd not in place.script.parents


def test_writing_under_a_link_unfolds_it(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "file").write_text("kept")
    (outside / "deep" / "other").write_text("seen")
    inside.mkdir()
    (inside / "link").symlink_to(outside)
    file = inside / "link" / "deep" / "file"

    copy_up(str(file), f"{inside}{os.sep}", keep_content=True)
    file.write_text("changed")

    assert (outside / "deep" / "file").read_text() == "kept"
    assert (inside / "link" / "deep" / "other").read_text() == "seen"


@pytest.mark.parametrize("path", [3, None, b"x", "/elsewhere/file"])
def test_other_paths_are_left_alone(tmp_path: Path, path: object) -> None:
    copy_up(path, f"{tmp_path}{os.sep}", keep_content=True)

    assert list(tmp_path.iterdir()) == []
