"""Which files a folder is searched for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ortwrap.walk import Selection, python_files


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def found(folder: str = ".", **selection: tuple[str, ...]) -> list[str]:
    return [path.replace(os.sep, "/") for path in python_files(folder, Selection(**selection))]


def test_python_files_in_order_and_named_as_the_folder_was(project: Path) -> None:
    make(project, "b.py", "a.py", "sub/c.py", "sub/data.txt", "notes.pyc")
    assert found() == ["a.py", "b.py", "sub/c.py"]
    assert found("sub") == ["sub/c.py"]
    assert found(str(project / "sub")) == [str(project / "sub" / "c.py")]


def test_what_git_ignores_is_left_out(project: Path) -> None:
    make(project, "keep.py", "out/a.py", "sub/made.py", "sub/made_by_hand.py", "sub/deep/x.py")
    make(project, "sub/local.py", "other/local.py")
    (project / ".git" / "info").mkdir(parents=True)
    (project / ".git" / "info" / "exclude").write_text("/other/\n")
    (project / ".gitignore").write_text("out/\nmade*.py\n!made_by_hand.py\n")
    (project / "sub" / ".gitignore").write_text("/local.py\ndeep/*\n")
    assert found() == ["keep.py", "sub/made_by_hand.py"]
    assert found("sub") == ["sub/made_by_hand.py"]


def test_an_inner_gitignore_can_take_back_what_an_outer_one_said(project: Path) -> None:
    make(project, "a_pb2.py", "sub/a_pb2.py")
    (project / ".gitignore").write_text("!\n*_pb2.py\n")
    (project / "sub" / ".gitignore").write_text("!*_pb2.py\n")
    assert found() == ["sub/a_pb2.py"]


def test_environments_and_caches_are_nobodys_source(project: Path) -> None:
    make(project, "a.py", "my-env/pyvenv.cfg", "my-env/lib/b.py", ".git/hooks/c.py")
    make(project, "__pycache__/d.py", "node_modules/e.py", ".tox/f.py", ".github/scripts/g.py")
    assert found() == [".github/scripts/g.py", "a.py"]


def test_links_lead_neither_in_circles_nor_twice_to_a_file(project: Path) -> None:
    make(project, "a.py", "sub/b.py")
    (project / "sub" / "up").symlink_to(project)
    (project / "z.py").symlink_to("a.py")
    (project / "itself.py").symlink_to("itself.py")
    assert found() == ["a.py", "sub/b.py"]


def test_include_and_exclude(project: Path) -> None:
    make(project, "a.py", "b.pyw", "old/c.py", "old/deep/d.py")
    selection = Selection(str(project), ("*.py", "*.pyw"), ("old/",))
    assert list(python_files(".", selection)) == ["a.py", "b.pyw"]
