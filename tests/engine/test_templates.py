"""The user's own template in the place of ortwrap's: used as it is, or refused with its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ortwrap import InvalidTemplate, Options, rewrite_source
from ortwrap.engine.templating import template_folder

SCRIPT = """\
import torch

model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x in torch.ones(3, 5, 4):
    loss = model(x).pow(2).mean()
    loss.backward()
    optimizer.step()
"""


def rewritten(template: Path) -> str:
    return rewrite_source(SCRIPT, Options(template=template)).text


def test_a_template_of_ones_own_makes_the_class(tmp_path: Path) -> None:
    theirs = tmp_path / "mine.j2"
    ours = (template_folder() / "module_with_loss.py.j2").read_text()
    theirs.write_text(ours.replace("super().__init__()", "super().__init__()  # house style"))
    assert rewritten(theirs).count("super().__init__()  # house style") == 1


def test_a_template_that_forgets_a_list_of_modules_is_told_so(tmp_path: Path) -> None:
    template = tmp_path / "mine.j2"
    ours = (template_folder() / "module_with_loss.py.j2").read_text()
    template.write_text(ours.replace('(["*" ~ spread] if spread else [])', "[]"))
    script = SCRIPT.replace("model(x)", "sum(model(x) for model in models)").replace(
        "model = torch.nn.Linear(4, 2)", "models = [torch.nn.Linear(4, 2)]"
    )
    with pytest.raises(InvalidTemplate, match=r"leaves out `\*models`"):
        rewrite_source(script, Options(template=template))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("class {{ nme }}:", "'nme' is undefined", id="unknown variable"),
        pytest.param("\nclass {{ name", "unexpected end of template", id="no Jinja"),
        pytest.param("{{ 1 // 0 }}", "division", id="an expression that fails"),
        pytest.param(
            "", "of the script that it makes, nothing defines `ModuleWithLoss`", id="empty"
        ),
        pytest.param(
            "class {{ name }}(:", "of the script that it makes, it does not parse", id="?"
        ),
        pytest.param(None, "no such file or directory", id="missing"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_name(
    tmp_path: Path, text: str | None, why: str
) -> None:
    template = tmp_path / "mine.j2"
    if text is not None:
        template.write_text(text)
    with pytest.raises(InvalidTemplate) as error:
        rewritten(template)
    assert str(error.value).startswith(f"template {template}: ")
    assert why in str(error.value)
    assert "\n" not in str(error.value)
