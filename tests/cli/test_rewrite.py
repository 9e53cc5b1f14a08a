"""`ortwrap rewrite` on scripts with training steps: what is printed, written, and returned."""

from __future__ import annotations

import codecs
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_scripts import PLAIN, REFUSED, TRAINING


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(TRAINING)
    return path


def test_a_diff_and_nothing_written(ortwrap: Callable, script: Path) -> None:
    run = ortwrap("rewrite", "train.py")
    assert run.code == 0
    assert run.text.startswith("--- train.py\n+++ train.py\n@@ ")
    assert "+class ModuleWithLoss(" in run.text
    assert "-        output = model(data)\n" in run.text
    assert "\x1b[" not in run.text
    assert run.err == "Would rewrite 1 step in 1 file.\n"
    assert script.read_text() == TRAINING


def test_a_note_says_what_will_train_eagerly(ortwrap: Callable, script: Path) -> None:
    helper = "def scaled(x):\n    return x * x.mean().item()\n\n\n"
    called = TRAINING.replace("output = model(data)", "output = scaled(model(data))")
    script.write_text(called.replace("def train", f"{helper}def train"))
    run = ortwrap("rewrite", "train.py")
    note, done = run.err.splitlines()
    assert note.startswith("train.py:15: note: It will train eagerly, ")
    assert note.endswith("`scaled` takes values out of a tensor, `x.mean().item()` (line 5).")
    assert done == "Would rewrite 1 step in 1 file."
    assert ortwrap("rewrite", "train.py", "--quiet").err == ""
    assert ortwrap("rewrite", "train.py", "--verbose").err.count("It will train eagerly") == 1


def test_colour_is_for_terminals_or_on_demand(ortwrap: Callable, script: Path) -> None:
    assert "\x1b[32m+class" in ortwrap("rewrite", "train.py", FORCE_COLOR="1").text
    assert "\x1b[" not in ortwrap("rewrite", "train.py", FORCE_COLOR="1", NO_COLOR="1").text


def test_write_in_place_and_a_second_time_changes_nothing(ortwrap: Callable, script: Path) -> None:
    script.chmod(0o700)
    first = ortwrap("rewrite", "train.py", "--write")
    assert (first.code, first.out) == (0, b"")
    assert first.err == "Rewrote 1 step in 1 file.\n"
    patched = script.read_bytes()
    assert b"class ModuleWithLoss(" in patched
    second = ortwrap("rewrite", "train.py", "--write")
    assert (second.code, second.out) == (0, b"")
    assert script.read_bytes() == patched
    assert os.listdir(script.parent) == ["train.py"]


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the patch program")
@pytest.mark.parametrize("ending", [b"\n", b""])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_patch_applies_the_diff(
    ortwrap: Callable, script: Path, newline: bytes, ending: bytes, encoding: str
) -> None:
    text = f"# coding: {encoding}\n# Gr\u00fc\u00dfe\n{TRAINING}"
    script.write_bytes(text.encode(encoding).rstrip(b"\n").replace(b"\n", newline) + ending)
    diff = ortwrap("rewrite", "train.py").out
    by_patch = script.with_name("by_patch.py")
    shutil.copy(script, by_patch)
    subprocess.run(
        ["patch", "-s", "--binary", by_patch.name], cwd=script.parent, input=diff, check=True
    )
    ortwrap("rewrite", "train.py", "--write")
    assert by_patch.read_bytes() == script.read_bytes()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("utf-8", "utf-8", id="UTF-8"),
        pytest.param("utf-8-sig", "utf-8-sig", id="BOM"),
        pytest.param("latin-1", "latin-1", id="Latin-1"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_encoding_and_newlines_are_kept(
    ortwrap: Callable, script: Path, before: str, after: str, newline: str
) -> None:
    declared = "latin-1" if before == "latin-1" else "utf-8"
    text = f"# coding: {declared}\n# Gr\u00fc\u00dfe\n{TRAINING}".replace("\n", newline)
    script.write_bytes(text.encode(before))
    assert ortwrap("rewrite", "train.py", "--write").code == 0
    data = script.read_bytes()
    assert data.startswith(codecs.BOM_UTF8) == (before == "utf-8-sig")
    patched = data.decode(after)
    assert "class ModuleWithLoss(" in patched
    assert "# Gr\u00fc\u00dfe" in patched
    assert patched.count("\n") == patched.count(newline)


def test_output_goes_to_another_file(ortwrap: Callable, script: Path) -> None:
    run = ortwrap("rewrite", "train.py", "-o", "train_ort.py")
    assert (run.code, run.out) == (0, b"")
    assert script.read_text() == TRAINING
    assert "ModuleWithLoss" in (script.parent / "train_ort.py").read_text()


def test_as_a_filter(ortwrap: Callable, tmp_path: Path) -> None:
    run = ortwrap("rewrite", "-", "-o", "-", stdin=TRAINING.encode())
    assert run.code == 0
    assert "class ModuleWithLoss(" in run.text
    again = ortwrap("rewrite", "-", "--write", "-q", stdin=run.out)
    assert (again.code, again.out, again.err) == (0, run.out, "")
    bad = ortwrap(
        "rewrite", "-", "--stdin-filename", "src/a.py", stdin=b"import torch\nx.backward("
    )
    assert (bad.code, bad.out) == (2, b"")
    assert bad.err.startswith("src/a.py:2:")
    diff = ortwrap("rewrite", "-", "--stdin-filename", "src/a.py", stdin=TRAINING.encode())
    assert diff.text.startswith("--- src/a.py\n+++ src/a.py\n")
    assert os.listdir(tmp_path) == []


def test_check_tells_by_exit_code_and_writes_nothing(ortwrap: Callable, script: Path) -> None:
    run = ortwrap("rewrite", "--check", "train.py")
    assert (run.code, run.out) == (1, b"")
    assert "train.py: would be rewritten" in run.err
    assert ortwrap("rewrite", "--check", "--diff", "train.py").out.startswith(b"--- train.py")
    assert script.read_text() == TRAINING
    ortwrap("rewrite", "--write", "train.py")
    assert ortwrap("rewrite", "--check", "train.py").code == 0


def test_a_refusal_is_one_line_and_fails_only_a_strict_run(
    ortwrap: Callable, tmp_path: Path
) -> None:
    (tmp_path / "gan.py").write_text(REFUSED)
    run = ortwrap("rewrite", "gan.py")
    assert (run.code, run.out) == (0, b"")
    line, summary = run.err.splitlines()
    assert line.startswith("gan.py:7: OW")
    assert summary == "1 step refused, 1 file left unchanged."
    assert ortwrap("rewrite", "--strict", "gan.py").code == 1
    assert ortwrap("rewrite", "--check", "gan.py").code == 0
    assert ortwrap("rewrite", "--quiet", "gan.py").err == ""


def test_json_has_the_shape_that_other_tools_rely_on(ortwrap: Callable, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAINING)
    (tmp_path / "gan.py").write_text(REFUSED)
    (tmp_path / "plain.py").write_text(PLAIN)
    (tmp_path / "bad.py").write_text("import torch\nloss.backward(\n")
    paths = ("train.py", "gan.py", "plain.py", "bad.py", "missing.py")
    run = ortwrap("rewrite", "--format", "json", *paths)
    assert run.code == 2
    document = json.loads(run.out)
    assert list(document) == ["version", "files", "summary"]
    assert document["version"] == 1
    assert document["summary"] == {"files": 5, "rewritten": 1, "refused": 1, "errors": 2}
    train, gan, plain, bad, missing = document["files"]
    step = train["steps"][0]
    assert train == {"path": "train.py", "status": "rewritten", "steps": [step]}
    assert list(step) == ["line", "function", "status", "code", "message", "class"]
    assert (step["line"], step["function"], step["status"]) == (11, "train", "rewritten")
    assert (step["code"], step["class"]) == (None, "ModuleWithLoss")
    assert gan["status"] == "refused"
    assert gan["steps"][0]["status"] == "refused"
    assert gan["steps"][0]["code"].startswith("OW")
    assert gan["steps"][0]["class"] is None
    assert plain == {"path": "plain.py", "status": "unchanged", "steps": []}
    assert bad["status"] == "error"
    assert bad["message"].startswith("2:")
    assert bad["steps"] == []
    assert missing["message"] == "no such file or folder"


def test_nothing_to_do_says_so(ortwrap: Callable, tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(PLAIN)
    run = ortwrap("rewrite", "plain.py")
    assert (run.code, run.out) == (0, b"")
    assert run.err == "plain.py: no training step found\n"


def test_verbose_says_what_was_done_with_each_step(ortwrap: Callable, script: Path) -> None:
    run = ortwrap("rewrite", "--verbose", "train.py")
    assert "train.py:11: rewritten: " in run.err
    assert "train.py:11: evidence: model `model`: `.train()` is called on it" in run.err


def test_verbose_tells_the_evidence_for_what_was_refused_too(
    ortwrap: Callable, tmp_path: Path
) -> None:
    (tmp_path / "gan.py").write_text(REFUSED)
    run = ortwrap("rewrite", "--verbose", "gan.py")
    assert "gan.py:7: OW201 " in run.err
    assert "gan.py:7: evidence: model `model`: its name says so" in run.err


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the patch program")
def test_an_explained_diff_says_why_and_is_still_a_patch(ortwrap: Callable, script: Path) -> None:
    run = ortwrap("rewrite", "--explain-diff", "train.py")
    lines = run.text.splitlines()
    hunks = [index for index, line in enumerate(lines) if line.startswith("@@")]
    assert all(lines[index - 1].startswith("# line ") for index in hunks)
    assert "# line 9: `output = model(data)` moved into forward" in lines
    subprocess.run(["patch", "-s", "train.py"], cwd=script.parent, input=run.out, check=True)
    by_patch = script.read_bytes()
    script.write_text(TRAINING)
    ortwrap("rewrite", "--write", "train.py")
    assert script.read_bytes() == by_patch


def test_a_skip_comment_is_heeded_and_an_unused_one_told(ortwrap: Callable, script: Path) -> None:
    script.write_text(TRAINING.replace("loss.backward()", "loss.backward()  # ortwrap: skip"))
    run = ortwrap("rewrite", "--verbose", "train.py")
    assert (run.code, run.out) == (0, b"")
    assert "train.py:11: skipped: left alone by `# ortwrap: skip`." in run.err
    assert ortwrap("rewrite", "--check", "--strict", "train.py").code == 0
    script.write_text(PLAIN + "x = 1  # ortwrap: skip\n")
    for _ in range(2):  # the second time from the cache
        run = ortwrap("rewrite", "--check", "train.py")
        assert run.code == 0
        assert "train.py:3: this `# ortwrap: skip` speaks of no training step" in run.err
    assert ortwrap("rewrite", "--check", "--strict", "train.py").code == 1
    github = ortwrap("rewrite", "--format", "github", "train.py").text
    assert github.startswith("::warning file=train.py,line=3,title=ortwrap unused skip::")
    sarif = json.loads(ortwrap("rewrite", "--format", "sarif", "train.py").out)
    assert sarif["runs"][0]["results"][0]["ruleId"] == "unused-skip"
