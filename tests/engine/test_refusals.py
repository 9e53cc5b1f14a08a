"""Every refusal has a page, and every page's example is refused for that very reason."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

import ortwrap.engine
from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options
from ortwrap.engine.refusal_pages import PAGES, RefusalPage
from ortwrap.engine.remedies import REMEDIES
from ortwrap.engine.result import Step

SOURCES = sorted(Path(ortwrap.engine.__file__).parent.rglob("*.py"))
INTERNAL = "OW9"

each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


def _raised() -> dict[str, set[str]]:
    """Codes in the sources, each with the names that its messages are given."""
    found: dict[str, set[str]] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                first = node.args[0] if node.args else None
                if node.func.id == "Refuse" and isinstance(first, ast.Constant):
                    names = {keyword.arg for keyword in node.keywords if keyword.arg}
                    found.setdefault(str(first.value), set()).update(names)
    return found


def test_every_code_in_the_sources_has_a_page() -> None:
    assert set(_raised()) <= set(PAGES)


@each_page
def test_a_page_is_complete(page: RefusalPage) -> None:
    for text in (page.title, page.message, page.advice, page.reason):
        assert text.strip()
    assert page.title[0].islower() or page.title.split()[0] in ("PyTorch", "NumPy")
    assert page.reason.endswith(".")
    assert page.advice.endswith(".")
    assert not page.message.endswith("."), "half a sentence, a line number may follow"


@each_page
def test_a_message_gets_the_names_it_asks_for(page: RefusalPage) -> None:
    asked = {name for _, name, _, _ in string.Formatter().parse(page.message) if name}
    if not page.code.startswith(INTERNAL):
        assert asked <= _raised()[page.code]


def _steps(page: RefusalPage) -> tuple[Step, ...]:
    options = Options(standalone="--standalone" in page.example)
    return rewrite_source(page.example, options).steps


@each_page
def test_the_example_is_refused_for_that_reason(page: RefusalPage) -> None:
    if page.code.startswith(INTERNAL):
        pytest.skip("an internal error has no example")
    steps = _steps(page)
    assert [step.status for step in steps] == ["refused"] * len(steps)
    assert steps[0].code == page.code


@each_page
def test_a_refusal_names_its_line_and_what_to_do(page: RefusalPage) -> None:
    lines = page.example.splitlines()
    for step in _steps(page):
        if step.status == "refused":
            consumers = ("backward", "scaler", "return", "Trainer(")
            assert any(word in lines[step.line - 1] for word in consumers)
            assert step.code is not None
            assert "{" not in step.message + step.advice
            assert step.advice.split("`")[0] == PAGES[step.code].advice.split("`")[0]


def test_every_page_but_that_of_an_internal_error_says_what_to_write_instead() -> None:
    assert set(PAGES) - set(REMEDIES) == {"OW901"}


# What stays as it is when the advice has been followed.
_LEFT = {"OW205": {"rewritten", "refused"}, "OW312": {"skipped"}}


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_what_one_can_write_instead_is_rewritten(code: str) -> None:
    steps = rewrite_source(REMEDIES[code]).steps
    assert {step.status for step in steps} == _LEFT.get(code, {"rewritten"})
    assert {step.code for step in steps} <= {None, code}
