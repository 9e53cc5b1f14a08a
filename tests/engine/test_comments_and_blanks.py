"""Comments go where what they are about goes, and no line ends in spaces."""

from __future__ import annotations

from ortwrap.engine import rewrite_source

HEAD = """\
import torch
from torch import nn

model = nn.Linear(4, 2)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""
STEP = """\
def train(x, y, penalty):
    loss = criterion(model(x), y)
    {extra}loss.backward()
    optimizer.step()
"""
COMMENTED_OUT = """\
# def accuracy(out, y):
#     return (out == y).mean()

#     if nothing:
#         print("never")

# What the script does.
"""


def _class_and_rest(text: str) -> tuple[str, str]:
    patched = rewrite_source(text).text
    start, end = patched.index("class ModuleWithLoss"), patched.index("def train")
    return patched[start:end], patched[:start] + patched[end:]


def test_the_class_parts_no_code_that_was_commented_out() -> None:
    text = f"{HEAD}\n\n{COMMENTED_OUT}{STEP.format(extra='')}"
    assert COMMENTED_OUT in rewrite_source(text).text


def test_a_comment_about_a_branch_goes_with_it() -> None:
    extra = "# A penalty, if wanted.\n    if penalty:\n        loss = loss + penalty\n    "
    moved, rest = _class_and_rest(f"{HEAD}\n\n{STEP.format(extra=extra)}")
    assert "# A penalty, if wanted.\n        if penalty:\n" in moved
    assert "# A penalty" not in rest


def test_a_comment_about_the_last_statement_stays_above_the_call() -> None:
    extra = "# A penalty.\n    loss = loss + penalty\n    "
    moved, rest = _class_and_rest(f"{HEAD}\n\n{STEP.format(extra=extra)}")
    assert "# A penalty" not in moved
    assert "    # A penalty.\n    loss = model_with_loss(x, y, penalty)\n" in rest


def test_the_last_of_several_comments_on_parts_of_the_loss_goes_with_the_others() -> None:
    extra = "# Small.\n    small = 0.1 * loss\n    # Both.\n    loss = loss + small\n    "
    moved, rest = _class_and_rest(f"{HEAD}\n\n{STEP.format(extra=extra)}")
    assert "        # Small.\n        small = 0.1 * loss\n        # Both.\n" in moved
    assert "    loss = model_with_loss(x, y)\n" in rest
    assert "# Both." not in rest


def test_spaces_that_nothing_follows_stay_behind() -> None:
    step = STEP.replace("model(x), y)", "model(x), y)   ").format(
        extra="if penalty:  \n        loss = loss + 1  # More. \n    "
    )
    moved, _ = _class_and_rest(f"{HEAD}\n\n{step}")
    assert "  # More." in moved
    lines = [line for line in moved.splitlines() if "#" not in line]
    assert lines == [line.rstrip() for line in lines]


def test_a_comment_at_the_margin_takes_no_code_with_it() -> None:
    extra = "\n# As ever.\n    if penalty:\n        loss = loss + 1\n    "
    moved, rest = _class_and_rest(f"{HEAD}\n\n{STEP.format(extra=extra)}")
    assert "# As ever." in moved
    assert "\n    loss = model_with_loss(x, y, penalty)\n    loss.backward()\n" in rest


def test_the_line_of_the_call_ends_with_the_call() -> None:
    step = STEP.replace("model(x), y)", "model(x), y)   ").format(extra="")
    assert "    loss = model_with_loss(x, y)\n" in rewrite_source(f"{HEAD}\n\n{step}").text


def test_a_comment_that_heads_the_loop_heads_no_wrapper() -> None:
    loop = "for x, y in batches:\n    " + STEP.format(extra="").split("\n    ", 1)[1]
    heading = f"\n# Train.\n{loop}"
    assert f"model, criterion)\n{heading[:12]}" in rewrite_source(f"{HEAD}{heading}").text
    assert "model, criterion)\n# Train.\n" in rewrite_source(f"{HEAD}{heading[1:]}").text
