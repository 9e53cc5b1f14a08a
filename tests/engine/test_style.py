"""Generated code is written as the script is: its quotes, its line length, or the one asked for."""

from __future__ import annotations

import pytest
from test_layout import SCRIPT

from ortwrap import Options, rewrite_source

WIDE = SCRIPT.replace("(x)", "(x['aaaaaaaaaaaaaaaaaaaa'], x['bbbbbbbbbbbbbbbbbb'], x['ccccccccc'])")


def call(text: str, options: Options) -> str:
    """The statement that calls the wrapper, as it stands in the patched text."""
    patched = rewrite_source(text, options).text
    start = patched.index("loss = model_with_loss(")
    return patched[start : patched.index("loss.backward()")].strip()


def test_docstrings_have_the_quotes_of_the_script() -> None:
    assert '"""Forward pass and loss' in rewrite_source(SCRIPT).text
    single = f"'''Doc.'''\n{SCRIPT}"
    assert "'''Forward pass and loss" in rewrite_source(single).text


@pytest.mark.parametrize(
    ("more", "options", "lines"),
    [
        pytest.param("", Options(), 3, id="short lines found"),
        pytest.param(f"wide = {'1 + ' * 26}1\n", Options(), 1, id="long lines found"),
        pytest.param(f"wide = {'1 + ' * 26}1\n", Options(line_length=80), 6, id="short asked for"),
        pytest.param("", Options(line_length=120), 1, id="long asked for"),
        pytest.param(f"# {'long ' * 30}\n", Options(), 3, id="a comment is not code"),
        pytest.param(f"text = '{'long ' * 30}'\n", Options(), 3, id="a string is not wrapped"),
    ],
)
def test_lines_are_as_long_as_elsewhere(more: str, options: Options, lines: int) -> None:
    assert len(call(WIDE + more, options).splitlines()) == lines


def test_many_outputs_stand_below_one_another() -> None:
    names = [f"a_rather_long_name_{index}" for index in range(6)]
    text = (
        "import torch\nfrom torch import nn\n\nmodel = nn.Linear(4, 2)\n"
        + "".join(f"{name} = model(torch.ones(3, 4)).mean()\n" for name in names)
        + f"loss = {' + '.join(names[:3])}\nloss = loss + {' + '.join(names[3:])}\n"
        + "loss.backward()\n"
        + "".join(f"print({name}.item())\n" for name in names)
    )
    patched = rewrite_source(text).text
    assert "        return (\n            loss,\n" in patched
    assert f"(\n    loss,\n    {names[0]},\n" in patched
    assert ") = model_with_loss()" in patched
