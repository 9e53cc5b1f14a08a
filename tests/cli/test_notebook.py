"""Notebooks: their code is rewritten, everything else in them stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from terminals import on_terminal

IMPORTS = """\
%matplotlib inline
!pip install torch
import torch
from torch import nn
import torch.nn.functional as F"""
SETUP = """\
model = nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
files = !ls
loader = [(torch.randn(8, 4), torch.randint(3, (8,))) for _ in range(3)]"""
STEP = """\
%%time
text = '''
%not a magic
'''
for x, y in loader:
    optimizer.zero_grad()
    output = model(x)
    loss = F.cross_entropy(output, y)
    loss.backward()
    optimizer.step()
    %matplotlib inline
print(loss.item())"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    book = new_notebook(
        cells=[
            new_markdown_cell("# Title\n\nloss.backward()"),
            new_code_cell(IMPORTS),
            new_code_cell("%%bash\nls | grep loss.backward()"),
            new_code_cell(SETUP, execution_count=3),
            new_code_cell(STEP, outputs=[new_output("stream", name="stdout", text="0.5\n")]),
            new_code_cell("model.state_dict?"),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    path = tmp_path / "train.ipynb"
    nbformat.write(book, path)
    return path


def test_code_is_rewritten_and_the_rest_stays(ortwrap: Callable, notebook: Path) -> None:
    before = nbformat.read(notebook, as_version=4)
    run = ortwrap("rewrite", "--write", "train.ipynb")
    assert (run.code, run.err) == (0, "Rewrote 1 step in 1 file.\n")
    after = nbformat.read(notebook, as_version=4)
    nbformat.validate(after)
    assert after.metadata == before.metadata
    (added,) = [cell for cell in after.cells if cell.id not in {each.id for each in before.cells}]
    assert added.source.startswith("class ModuleWithLoss(nn.Module):")
    assert after.cells[after.cells.index(added) + 1].source.startswith("%%time")
    kept = [cell for cell in after.cells if cell is not added]
    for old, new in zip(before.cells, kept):
        assert (old.cell_type, old.id, old.get("outputs")) == (
            new.cell_type,
            new.id,
            new.get("outputs"),
        )
    changed = [index for index, (old, new) in enumerate(zip(before.cells, kept)) if old != new]
    assert changed == [1, 4]
    assert kept[1].source == f"{IMPORTS}\nfrom ortwrap.runtime import ort_module"
    assert "    loss = model_with_loss(x, y)\n    loss.backward()" in kept[4].source
    assert "'''\n%not a magic\n'''" in kept[4].source
    assert kept[4].source.endswith("    %matplotlib inline\nprint(loss.item())")


def test_a_second_time_changes_nothing(ortwrap: Callable, notebook: Path) -> None:
    ortwrap("rewrite", "--write", "train.ipynb")
    data = notebook.read_bytes()
    assert ortwrap("rewrite", "--check", "train.ipynb").code == 0
    ortwrap("rewrite", "--write", "train.ipynb")
    assert notebook.read_bytes() == data


def test_what_was_written_can_be_reverted(ortwrap: Callable, notebook: Path) -> None:
    data = notebook.read_bytes()
    ortwrap("rewrite", "--write", "train.ipynb")
    assert notebook.read_bytes() != data
    assert ortwrap("rewrite", "--revert", "train.ipynb").err == "Reverted 1 file.\n"
    assert notebook.read_bytes() == data


def test_a_twin_says_where_it_is_from_and_is_found_stale(ortwrap: Callable, notebook: Path) -> None:
    args = ("rewrite", "train.ipynb", "-o", "{stem}_ort.ipynb")
    assert ortwrap(*args).code == 0
    twin = nbformat.read(notebook.with_name("train_ort.ipynb"), as_version=4)
    nbformat.validate(twin)
    assert "from train.ipynb (sha256" in twin.cells[0].source
    assert ortwrap(*args, "--check").code == 0
    notebook.write_text(notebook.read_text().replace("lr=0.1", "lr=0.2"))
    assert ortwrap(*args, "--check").code == 1


def test_cells_are_asked_about_one_by_one(notebook: Path) -> None:
    book = nbformat.read(notebook, as_version=4)
    book.cells.append(new_code_cell(STEP))
    nbformat.write(book, notebook)
    code, shown = on_terminal(
        notebook.parent, "n\ny\n", "rewrite", "-i", "train.ipynb", NO_COLOR="1"
    )
    assert code == 0, shown
    assert shown.endswith("Rewrote 1 step in 1 file.\n")
    assert "train.ipynb:9 (step 1 of 2): cell 4: forward and loss moved" in shown
    assert "train.ipynb:9 (step 2 of 2): cell 6: forward and loss moved" in shown
    after = nbformat.read(notebook, as_version=4)
    assert [cell for cell in after.cells if cell.source == STEP] == [book.cells[4]]
    assert after.cells[6].source.startswith("class ModuleWithLoss(nn.Module):")
    assert "loss = model_with_loss(x, y)" in after.cells[7].source


def test_nothing_is_written_and_steps_are_placed_in_their_cell(
    ortwrap: Callable, notebook: Path
) -> None:
    data = notebook.read_bytes()
    run = ortwrap("rewrite", "--format", "json", "train.ipynb")
    (step,) = json.loads(run.out)["files"][0]["steps"]
    assert (step["line"], step["status"]) == (9, "rewritten")
    assert step["message"].startswith("cell 4: ")
    assert "+class ModuleWithLoss(" in ortwrap("rewrite", "train.ipynb").text
    assert notebook.read_bytes() == data


def test_a_notebook_without_cell_ids_gets_none(ortwrap: Callable, notebook: Path) -> None:
    book = json.loads(notebook.read_text())
    book["nbformat_minor"] = 4
    for cell in book["cells"]:
        del cell["id"]
    notebook.write_text(json.dumps(book))
    run = ortwrap("rewrite", "--write", "train.ipynb")
    assert (run.code, run.err) == (0, "Rewrote 1 step in 1 file.\n")
    assert not any("id" in cell for cell in json.loads(notebook.read_text())["cells"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("{", "is no notebook that can be read: ", id="no JSON"),
        pytest.param("[]", "is no notebook that can be read: ", id="no notebook"),
        pytest.param('{"nbformat": 4}', "is no notebook that can be read: ", id="no cells"),
        pytest.param(
            '{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}',
            "is no notebook that can be read: it is not in notebook format 4",
            id="old format",
        ),
    ],
)
def test_what_is_no_notebook_is_one_clear_error(
    ortwrap: Callable, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "bad.ipynb").write_text(content)
    run = ortwrap("rewrite", "bad.ipynb")
    assert run.code == 2
    assert run.err.startswith(f"bad.ipynb: error: {message}")
    assert len(run.err.splitlines()) == 2


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param({"indent": 2}, id="Colab"),
        pytest.param({"indent": 1, "sort_keys": True}, id="Jupyter"),
        pytest.param({"indent": "\t", "ensure_ascii": True}, id="tabs and escapes"),
        pytest.param({"separators": (",", ":")}, id="one line"),
    ],
)
def test_a_notebook_keeps_the_layout_of_its_file(
    ortwrap: Callable, notebook: Path, layout: dict
) -> None:
    content = json.loads(notebook.read_text())
    content["cells"][0]["source"] = "Grüße"
    before = json.dumps(content, **{"ensure_ascii": False, **layout}) + "\n\n"
    notebook.write_text(before, encoding="utf-8", newline="")
    assert ortwrap("rewrite", "--write", "train.ipynb").code == 0
    after = notebook.read_text(encoding="utf-8")
    lost = [line for line in before.split("\n") if line not in set(after.split("\n"))]
    again = json.dumps(json.loads(after), **{"ensure_ascii": False, **layout}) + "\n\n"
    assert (after, len(lost) <= 4) == (again, True)
