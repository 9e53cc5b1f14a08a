"""`# ortwrap: skip`: what a comment speaks of, what it does not, and that unused ones are told."""

from __future__ import annotations

import pytest

from ortwrap import Options, Result, rewrite_source

HEAD = "import torch\nimport torch.nn.functional as F\n\n\n"
STEP = """\
def {name}(model, loader, optimizer):{on_function}
    for x, y in loader:{on_loop}
        optimizer.zero_grad()
        out = model(x){on_call}
        loss = F.nll_loss(out, y)
        loss.backward(){on_sink}
        optimizer.step(){behind}
"""
PLACES = ("on_function", "on_loop", "on_call", "on_sink", "behind")


def step(name: str = "train", **comments: str) -> str:
    marks = {place: f"  {comments[place]}" if place in comments else "" for place in PLACES}
    return STEP.format(name=name, **marks)


def statuses(result: Result) -> list[str]:
    return [step.status for step in result.steps]


@pytest.mark.parametrize("place", ["on_function", "on_loop", "on_call", "on_sink"])
def test_a_comment_behind_a_line_of_the_step_or_around_it(place: str) -> None:
    text = HEAD + step(**{place: "# ortwrap: skip"}) + "\n\n" + step("other")
    result = rewrite_source(text)
    assert statuses(result) == ["skipped", "rewritten"]
    assert "# ortwrap: skip" in result.steps[0].message
    assert result.unused_skips == ()
    assert rewrite_source(result.text).text == result.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            HEAD + "# ortwrap: skip\n" + step() + step("other"), ["skipped", "rewritten"], id="def"
        ),
        pytest.param(
            HEAD + "# ortwrap: skip\n# why\n@torch.enable_grad()\n" + step(), ["skipped"], id="@"
        ),
        pytest.param(
            '"""Doc."""\n# ortwrap: skip, it is slow\n' + HEAD + step() + step("other"),
            ["skipped", "skipped"],
            id="file",
        ),
        pytest.param(
            "#!/usr/bin/env python\n# ortwrap: skip\n\n" + step(), ["skipped"], id="shebang"
        ),
        pytest.param(
            "# ortwrap: skip\n" + step() + step("b"), ["skipped", "refused"], id="no file"
        ),
    ],
)
def test_a_comment_on_a_line_of_its_own(text: str, expected: list[str]) -> None:
    result = rewrite_source(text)
    assert statuses(result) == expected
    assert result.unused_skips == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HEAD + step(behind="# ortwrap: skip"), id="another statement"),
        pytest.param(HEAD + step() + "print()  # ortwrap: skip\n", id="outside"),
        pytest.param("import torch  # ortwrap: skip\n", id="no step in the file"),
        pytest.param("# ortwrap: skip\nimport torch\n", id="no step in a skipped file"),
    ],
)
def test_what_speaks_of_no_step_is_told(text: str) -> None:
    result = rewrite_source(text)
    assert "skipped" not in statuses(result)
    line = text[: text.index("# ortwrap")].count("\n") + 1
    assert result.unused_skips == (line,)


@pytest.mark.parametrize(
    "comment",
    ["# ortwrap: skipper", "# see `# ortwrap: skip`", "# ortwrap skip", "# ortwrap: cell"],
)
def test_what_is_no_such_comment(comment: str) -> None:
    result = rewrite_source(HEAD + 'text = "# ortwrap: skip"\n' + step(on_sink=comment))
    assert statuses(result) == ["rewritten"]
    assert result.unused_skips == ()


def test_a_refusal_is_silenced_and_its_graph_stays_whole() -> None:
    second = step(on_sink="# ortwrap: skip").replace("backward()", "backward(create_graph=True)")
    assert statuses(rewrite_source(HEAD + second)) == ["skipped"]
    shared = HEAD + step().replace(
        "        optimizer.step()\n", "        out.sum().backward()  # ortwrap: skip\n"
    )
    assert statuses(rewrite_source(shared)) == ["refused", "skipped"]


def test_one_comment_is_enough_for_a_loss_with_two_sinks() -> None:
    branches = (
        "        if amp:\n            scaler.scale(loss).backward()  # ortwrap: skip\n"
        "        else:\n            loss.backward()\n"
    )
    text = HEAD + step().replace("        loss.backward()\n", branches)
    assert statuses(rewrite_source(text)) == ["skipped"]


def test_a_caller_can_leave_steps_by_their_lines() -> None:
    text = HEAD + step("a") + step("b") + step("c")
    lines = [step.line for step in rewrite_source(text).steps]
    result = rewrite_source(text, Options(leave=(lines[0], lines[2])))
    assert statuses(result) == ["skipped", "rewritten", "skipped"]
    assert rewrite_source(text, Options(leave=tuple(lines))).text == text
