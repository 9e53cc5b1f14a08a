"""Each idiom is rewritten into what a careful colleague would have written, and nothing else."""

from __future__ import annotations

import ast
import sys

import pytest
from engine_cases import (
    CASES,
    FOLDER,
    REFUSED_SO_FAR,
    Case,
    comments,
    each_case,
    rewrite_beside,
)
from names_in import unresolved_names


@each_case
def test_it_becomes_what_a_colleague_would_write(case: Case) -> None:
    result = case.rewritten()
    assert result.text == case.after
    assert [step.status for step in result.steps] == ["rewritten"] * len(result.steps)


@each_case
def test_a_second_pass_changes_nothing(case: Case) -> None:
    again = rewrite_beside(case.path, case.after)
    assert again.text == case.after
    assert {step.status for step in again.steps} == {"skipped"}


@each_case
def test_comments_survive(case: Case) -> None:
    assert not comments(case.before) - comments(case.after)


@each_case
def test_every_name_resolves(case: Case) -> None:
    tree_of(case)
    assert not unresolved_names(case.after) - unresolved_names(case.before)


@each_case
def test_what_holds_no_step_stays_byte_for_byte(case: Case) -> None:
    lines = [step.line for step in case.rewritten().steps]
    rest = case.after
    for node in tree_of(case).body:
        source = ast.get_source_segment(case.before, node)
        if source is not None and not _holds(node, lines):
            _, found, rest = rest.partition(source)
            assert found, f"changed or moved:\n{source}"


@pytest.mark.parametrize(("name", "code"), REFUSED_SO_FAR.items())
def test_what_is_awaited_is_refused(name: str, code: str) -> None:
    """Once it is rewritten: run update_cases.py, read its after.py and take it from the table."""
    path = FOLDER / name / "before.py"
    result = rewrite_beside(path, path.read_text(encoding="utf-8"))
    assert [step.code for step in result.steps if step.status == "refused"] == [code]


def test_every_case_has_been_rewritten() -> None:
    """A case without an after.py is one that nobody has read."""
    folders = {path.parent.name for path in FOLDER.glob("*/before.py")}
    assert folders == {case.name for case in CASES} | set(REFUSED_SO_FAR)


def tree_of(case: Case) -> ast.Module:
    """The script as this Python parses it; one in the syntax of a newer Python is skipped."""
    try:
        return ast.parse(case.before)
    except SyntaxError:
        if sys.version_info >= (3, 12):
            raise
        pytest.skip("written in the syntax of a newer Python")


def _holds(node: ast.stmt, lines: list[int]) -> bool:
    """A step stands in the statement, or in a module-level block whose values it reads."""
    return any(node.lineno <= line <= (node.end_lineno or node.lineno) for line in lines)
