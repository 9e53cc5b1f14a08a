"""The file's own newlines, indents and oddities stay; what is inserted follows them."""

from __future__ import annotations

import re

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
import torch.nn as nn

model = nn.Linear(4, 2)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
data = [(torch.ones(3, 4), torch.zeros(3, 2))]


def train(model, criterion):
    for x, y in data:
        optimizer.zero_grad()
        output = model(x)
        loss = criterion(output, y)
        loss.backward()
        optimizer.step()
        print(loss.item())


train(model, criterion)
"""


def rewritten(text: str) -> str:
    """The patched text, which must differ, compile and be stable."""
    result = rewrite_source(text)
    assert result.status == "rewritten"
    compile(result.text.lstrip("\ufeff"), "<patched>", "exec")
    assert rewrite_source(result.text).text == result.text
    return result.text


def newlines(text: str) -> list[str]:
    return re.findall(r"\r\n|\r|\n", text)


@pytest.mark.parametrize("newline", ["\r\n", "\r"], ids=["CRLF", "CR"])
def test_all_lines_end_alike(newline: str) -> None:
    text = rewritten(SCRIPT.replace("\n", newline))
    assert set(newlines(text)) == {newline}
    assert text.replace(newline, "\n") == rewritten(SCRIPT)


def test_mixed_newlines_stay_where_they_are() -> None:
    lines = SCRIPT.splitlines()
    mixed = "".join(line + ("\r\n" if number % 3 else "\n") for number, line in enumerate(lines))
    kept = rewritten(mixed).splitlines(keepends=True)
    outside = [line for line in mixed.splitlines(keepends=True) if not _is_step(line)]
    rest = iter(kept)
    assert all(line in rest for line in outside)


def _is_step(line: str) -> bool:
    return "output = model" in line or "loss = criterion" in line


def test_one_block_that_is_indented_otherwise_is_no_model() -> None:
    first = "with open(__file__) as file:\n        text = file.read()\n"
    assert rewritten(first + SCRIPT) == first + rewritten(SCRIPT)


@pytest.mark.parametrize("indent", ["\t", "  ", "        "], ids=["tabs", "two", "eight"])
def test_the_class_is_indented_like_the_file(indent: str) -> None:
    text = rewritten(SCRIPT.replace("    ", indent))
    assert text.replace(indent, "    ") == rewritten(SCRIPT)


def test_a_byte_order_mark_stays_first() -> None:
    text = rewritten("\ufeff" + SCRIPT)
    assert text == "\ufeff" + rewritten(SCRIPT)


def test_a_missing_last_newline_stays_missing() -> None:
    assert rewritten(SCRIPT.rstrip("\n")) == rewritten(SCRIPT).rstrip("\n")


def test_a_step_on_the_last_line_without_newline() -> None:
    head = SCRIPT.split("\n\n\ndef")[0]
    text = rewritten(head + "\nx, y = data[0]\ncriterion(model(x), y).backward()")
    assert text.endswith("\nmodel_with_loss(x, y).backward()")


ON_ONE_LINE = {
    "semicolons": (
        "for x, y in data:\n    out = model(x); loss = criterion(out, y); loss.backward()\n",
        "    loss = model_with_loss(x, y); loss.backward()\n",
    ),
    "a suite on the line of its for": (
        "for x, y in data: criterion(model(x), y).backward(); optimizer.step()\n",
        "for x, y in data: model_with_loss(x, y).backward(); optimizer.step()\n",
    ),
    "slice in the middle of a line": (
        "for x, y in data:\n    optimizer.zero_grad(); loss = criterion(model(x), y); print(1)\n"
        "    loss.backward()\n",
        "    optimizer.zero_grad(); loss = model_with_loss(x, y); print(1)\n",
    ),
    "backslashes": (
        "for x, y in data:\n    loss = \\\n        criterion(\\\n            model(x), y)\n"
        "    loss.backward()\n",
        "    loss = model_with_loss(x, y)\n",
    ),
    "brackets over lines": (
        "for x, y in data:\n    loss = (\n        criterion(\n            model(\n"
        "                x\n            ),\n            y,\n        )\n    )\n"
        "    loss.backward()\n",
        "    loss = model_with_loss(x, y)\n",
    ),
}


@pytest.mark.parametrize(("step", "expected"), ON_ONE_LINE.values(), ids=ON_ONE_LINE)
def test_statements_that_share_or_span_lines(step: str, expected: str) -> None:
    head = SCRIPT.split("\n\n\ndef")[0]
    assert expected in rewritten(f"{head}\n{step}")


ABOVE = {
    "a shebang and a coding line": "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n",
    "a docstring": '"""Trains."""\n',
    "a docstring and __future__": '"""Trains."""\nfrom __future__ import annotations\n',
    "a licence": "# Copyright 2020\n# All rights reserved\n\n",
    "a form feed": "\x0c\n",
}


@pytest.mark.parametrize("top", ABOVE.values(), ids=ABOVE)
def test_what_must_stand_first_stays_first(top: str) -> None:
    assert rewritten(top + SCRIPT) == top + rewritten(SCRIPT)


def test_an_unknown_function_called_twice_is_called_twice() -> None:
    text = (
        "import torch\nfrom torch import nn\nfrom helpers import augment\n\n"
        "model = nn.Linear(4, 3)\ncriterion = nn.MSELoss()\n"
        "for x in torch.randn(5, 6, 4):\n"
        "    loss = criterion(augment(x) - augment(x), model(x))\n    loss.backward()\n"
    )
    assert "model_with_loss(augment(x), augment(x), x)" in rewrite_source(text).text


def test_a_name_that_only_forward_has_is_deleted_no_more() -> None:
    text = rewritten(SCRIPT.replace("        print(", "        del output\n        print("))
    assert "del output" not in text
    assert "        pass\n" not in text
