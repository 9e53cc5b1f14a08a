"""The page of a refusal as text for a terminal: what, why, an example, what to do instead."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options
from ortwrap.engine.remedies import REMEDIES

if TYPE_CHECKING:
    from ortwrap.engine.refusal_pages import RefusalPage
    from ortwrap.engine.result import Result, Step

_WIDTH = 88


def as_text(page: RefusalPage) -> str:
    """The page; what ortwrap says of the examples is asked of the engine, not written down."""
    heading = f"{page.code}: {page.title}"
    sections = [f"{heading}\n{'=' * len(heading)}", _filled(page.reason)]
    if page.example:
        sections.append(f"Example:\n\n{_indented(page.example)}")
    said = [f"example.py:{step.line}: {step.code} {step.message}" for step in refused_steps(page)]
    if said:
        sections.append("ortwrap says:\n\n" + _indented("\n".join(said)))
    sections.append(f"What to do:\n\n{_filled(page.advice_for_all)}")
    if page.code in REMEDIES:
        sections.append(f"For instance:\n\n{_indented(REMEDIES[page.code])}")
        left = left_of_remedy(page.code)
        if left:
            sections.append("Of which ortwrap says:\n\n" + _indented("\n".join(left)))
    return "\n\n".join(sections) + "\n"


def rewritten_example(text: str) -> Result:
    """An example as ortwrap takes it; one that speaks of `--standalone` is meant for that."""
    return rewrite_source(text, Options(standalone="--standalone" in text))


def refused_steps(page: RefusalPage) -> list[Step]:
    """The steps of a page's example that are refused with its code."""
    steps = rewritten_example(page.example).steps
    return [step for step in steps if step.code == page.code]


def left_of_remedy(code: str) -> list[str]:
    """What ortwrap says of the steps of a remedy that it does not rewrite, a line for each."""
    steps = rewritten_example(REMEDIES[code]).steps
    return [
        f"example.py:{step.line}: {step.code or f'{step.status}:'} {step.message}"
        for step in steps
        if step.status != "rewritten"
    ]


def _indented(text: str) -> str:
    return textwrap.indent(text.strip("\n"), "    ")


def _filled(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_on_hyphens=False, break_long_words=False)
