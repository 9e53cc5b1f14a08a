"""A script by itself, and again with the files that it imports where a step would be refused."""

from __future__ import annotations

from ortwrap.engine import passes
from ortwrap.engine.bindings import Bindings
from ortwrap.engine.elsewhere import Elsewhere
from ortwrap.engine.inner_gradients import ASKS
from ortwrap.engine.neighbours import Neighbours
from ortwrap.engine.options import Options
from ortwrap.engine.result import Result
from ortwrap.engine.tree import SourceTree

# Refusals that what stands in another file may lift: who trains, what is bound, what is harmless.
_MAY_LIFT = frozenset(["OW101", "OW106", "OW107", "OW203", "OW211"])


def rewrite(text: str, options: Options, neighbours: Neighbours | None = None) -> Result:
    """Rewrite a script that mentions a sink.

    Other files are read only where a step would be refused without them, or where one of them asks
    for gradients of what it is given.

    Raises:
        InvalidSource: the text cannot be parsed.
        InvalidTemplate: nor can the user's template, or what it makes.
    """
    tree = SourceTree(text)
    alone = passes.rewrite(tree, options)
    if neighbours is None:
        return alone
    elsewhere, bindings = Elsewhere(neighbours), Bindings(tree)
    if any(step.code in _MAY_LIFT for step in alone.steps):
        worth_reading = elsewhere.reaches(bindings)
    else:
        worth_reading = _rewritten(alone) > 0 and elsewhere.mentions(bindings, *ASKS)
    if not worth_reading:
        return alone
    informed = passes.rewrite(tree, options, elsewhere)
    gained = _rewritten(informed) - _rewritten(alone)
    forbidden = _refused_with("OW302", informed) - _refused_with("OW302", alone)
    # Where nothing is gained the reasons may still be better ones.
    better = gained > 0 or forbidden > 0 or informed.text == alone.text
    return informed if better else alone


def _rewritten(result: Result) -> int:
    return sum(step.status == "rewritten" for step in result.steps)


def _refused_with(code: str, result: Result) -> int:
    return sum(step.code == code for step in result.steps)
