"""The page of a refusal as text for a terminal: what, why, an example, what to do instead."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ortwrap.engine import rewrite_source
from ortwrap.engine.remedies import REMEDIES

if TYPE_CHECKING:
    from ortwrap.engine.refusal_pages import RefusalPage

_WIDTH = 88


def as_text(page: RefusalPage) -> str:
    """The page; what ortwrap says of the example is asked of the engine, not written down."""
    heading = f"{page.code}: {page.title}"
    sections = [
        f"{heading}\n{'=' * len(heading)}",
        _filled(page.reason),
        "Example:\n\n" + textwrap.indent(page.example.strip("\n"), "    "),
        *_said(page),
        "What to do:\n\n" + _filled(page.advice_for_all),
    ]
    if page.code in REMEDIES:
        sections.append("For instance:\n\n" + textwrap.indent(REMEDIES[page.code].strip(), "    "))
    return "\n\n".join(sections) + "\n"


def _said(page: RefusalPage) -> list[str]:
    """The line that the example gets, if the engine refuses it with this code."""
    lines = [
        f"    example.py:{step.line}: {step.code} {step.message}"
        for step in rewrite_source(page.example).steps
        if step.code == page.code
    ]
    return ["ortwrap says:\n\n" + "\n".join(lines)] if lines else []


def _filled(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_on_hyphens=False, break_long_words=False)
