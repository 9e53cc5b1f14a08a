"""Whatever is wrong with an input: one clear line, exit code 2, nothing lost, the rest goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_scripts import PLAIN, TRAINING


def _folder_without_python(tmp_path: Path) -> None:
    (tmp_path / "bad.py").mkdir()
    (tmp_path / "bad.py" / "readme.txt").touch()


def _unreadable(tmp_path: Path) -> None:
    (tmp_path / "bad.py").symlink_to("bad.py")


@pytest.mark.parametrize(
    ("make", "line"),
    [
        pytest.param(None, "bad.py: error: no such file or folder", id="missing"),
        pytest.param(
            b"import torch\ndef train(:\n    loss.backward()\n",
            "bad.py:2:11: error: ",
            id="syntax error",
        ),
        pytest.param(b"print 'loss.backward()'\n", "bad.py:1:1: error: ", id="Python 2"),
        pytest.param(
            b"\x89PNG\0\0loss.backward()", "bad.py: error: a binary file", id="binary file"
        ),
        pytest.param(
            b"import torch\n# \xfc\nloss.backward()\n",
            "bad.py:2:3: error: byte 0xfc is not utf-8",
            id="undecodable bytes",
        ),
        pytest.param(
            _folder_without_python,
            "bad.py: error: there is no Python file in this folder",
            id="folder without Python files",
        ),
        pytest.param(_unreadable, "bad.py: error: ", id="link to itself"),
    ],
)
def test_one_bad_input_is_one_line_and_the_others_go_on(
    ortwrap: Callable, tmp_path: Path, make: object, line: str
) -> None:
    if isinstance(make, bytes):
        (tmp_path / "bad.py").write_bytes(make)
    elif callable(make):
        make(tmp_path)
    (tmp_path / "good.py").write_text(TRAINING)
    run = ortwrap("rewrite", "bad.py", "good.py", "--write")
    assert run.code == 2
    assert run.out == b""
    errors = [text for text in run.err.splitlines() if "error:" in text]
    assert len(errors) == 1
    assert errors[0].startswith(line)
    assert "ModuleWithLoss" in (tmp_path / "good.py").read_text()
    if isinstance(make, bytes):
        assert (tmp_path / "bad.py").read_bytes() == make


def test_a_read_only_file_is_shown_but_not_written(ortwrap: Callable, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(TRAINING)
    script.chmod(0o444)
    assert ortwrap("rewrite", "train.py").code == 0
    run = ortwrap("rewrite", "train.py", "--write")
    assert run.code == 2
    assert "train.py: error: is read-only; nothing was written" in run.err
    assert script.read_text() == TRAINING
    assert os.listdir(tmp_path) == ["train.py"]


def test_output_into_a_missing_folder(ortwrap: Callable, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAINING)
    run = ortwrap("rewrite", "train.py", "-o", "missing/out.py")
    assert run.code == 2
    assert (
        "train.py: error: missing/out.py: its folder does not exist; nothing was written" in run.err
    )


def test_a_broken_input_leaves_the_output_file_alone(ortwrap: Callable, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import torch\nloss.backward(\n")
    (tmp_path / "out.py").write_text(PLAIN)
    assert ortwrap("rewrite", "bad.py", "-o", "out.py").code == 2
    assert (tmp_path / "out.py").read_text() == PLAIN


@pytest.mark.parametrize(
    ("args", "message"),
    [
        pytest.param(["rewrite"], "Missing argument", id="no path"),
        pytest.param(["rewrite", "a.py", "--nonsense"], "No such option", id="unknown option"),
        pytest.param(["nonsense"], "No such command", id="unknown command"),
        pytest.param(["rewrite", "a.py", "--write", "--check"], "combined", id="write and check"),
        pytest.param(["rewrite", "a.py", "b.py", "-o", "c.py"], "-o FILE takes one", id="-o many"),
        pytest.param(["rewrite", ".", "-o", "c.py"], "-o FILE takes one", id="-o folder"),
        pytest.param(["rewrite", "-", "-"], "- stands alone", id="standard input twice"),
        pytest.param(
            ["rewrite", "a.py", "-o", "-", "--format", "json"], "not both", id="two products"
        ),
        pytest.param(["rewrite", "a.py", "-q", "-v"], "combined", id="quiet and verbose"),
        pytest.param(
            ["rewrite", "a.py", "--class-name", "no name"], "no name", id="class name is no name"
        ),
        pytest.param(
            ["rewrite", "a.py", "--class-name", "class"], "class", id="class name is a keyword"
        ),
        pytest.param(["rewrite", "a.py", "--template", "no.j2"], "no.j2", id="missing template"),
    ],
)
def test_wrong_usage(ortwrap: Callable, args: list[str], message: str) -> None:
    run = ortwrap(*args)
    assert run.code == 2
    assert run.out == b""
    assert message in run.err
