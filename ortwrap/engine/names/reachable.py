"""The calls that running some code makes, as far as this file tells."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.text.nodes import descendants


def reachable_calls(node: cst.CSTNode, analyses: Analyses) -> Iterator[cst.Call]:
    """Calls in `node`, and in the functions of this file that these call."""
    yield from _calls(node, analyses, set())


def _calls(node: cst.CSTNode, analyses: Analyses, seen: set[cst.FunctionDef]) -> Iterator[cst.Call]:
    for call in descendants(node):
        if not isinstance(call, cst.Call):
            continue
        yield call
        helper = analyses.helpers.called(call.func)
        if helper is not None and helper not in seen:
            seen.add(helper)
            yield from _calls(helper.body, analyses, seen)
