"""A script by itself, and again with the files that it imports where a step would be refused."""

from __future__ import annotations

from ortwrap.engine import passes
from ortwrap.engine.bindings import Bindings
from ortwrap.engine.elsewhere import Elsewhere
from ortwrap.engine.neighbours import Neighbours
from ortwrap.engine.options import Options
from ortwrap.engine.result import Result
from ortwrap.engine.tree import SourceTree

# Refusals that what stands in another file may lift: who trains, what is bound, what is harmless.
_MAY_LIFT = frozenset(["OW101", "OW106", "OW107", "OW203"])


def rewrite(text: str, options: Options, neighbours: Neighbours | None = None) -> Result:
    """Rewrite a script that mentions a sink.

    Other files are read only where a step would be refused without them.

    Raises:
        InvalidSource: the text cannot be parsed.
        InvalidTemplate: nor can the user's template, or what it makes.
    """
    tree = SourceTree(text)
    alone = passes.rewrite(tree, options)
    if neighbours is None or not any(step.code in _MAY_LIFT for step in alone.steps):
        return alone
    elsewhere = Elsewhere(neighbours)
    if not elsewhere.reaches(Bindings(tree)):
        return alone
    informed = passes.rewrite(tree, options, elsewhere)
    gained = _rewritten(informed) - _rewritten(alone)
    # Where nothing is gained the reasons may still be better ones.
    return informed if gained > 0 or informed.text == alone.text else alone


def _rewritten(result: Result) -> int:
    return sum(step.status == "rewritten" for step in result.steps)
