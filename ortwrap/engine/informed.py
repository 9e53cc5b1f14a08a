"""A script by itself, and again with the files that it imports."""

from __future__ import annotations

from ortwrap.engine import passes
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import Elsewhere
from ortwrap.engine.names.neighbours import Neighbours
from ortwrap.engine.options import Options
from ortwrap.engine.result import Result, Step
from ortwrap.engine.text.tree import SourceTree

# Refusals that what stands in another file may lift: who trains, what is bound, torch or a base
# class, what keeps no graph and takes no gradient, what is harmless, and who needs torch anyway.
_MAY_LIFT = frozenset(
    "OW101 OW103 OW105 OW106 OW107 OW111 OW117 OW118 OW201 OW203 OW205 OW210 OW211".split()
)
# One that also counts on what stands in none: which classes nobody derives.
_OF_ALL_FILES = "OW111"


def rewrite(text: str, options: Options, neighbours: Neighbours | None = None) -> Result:
    """Rewrite a script that mentions a sink, or hands its loss to another file.

    What other files say against a rewrite counts as much as what they say for one.

    Raises:
        InvalidSource: the text cannot be parsed.
        InvalidTemplate: nor can the user's template, or what it makes.
    """
    tree = SourceTree(text)
    alone = passes.rewrite(tree, options)
    if neighbours is None or (alone.steps and not any(map(_is_open, alone.steps))):
        return alone
    elsewhere = Elsewhere(neighbours)
    asks_all = any(step.code == _OF_ALL_FILES for step in alone.steps)
    if not asks_all and not elsewhere.reaches(Bindings(tree)):
        return alone
    return passes.rewrite(tree, options, elsewhere)


def _is_open(step: Step) -> bool:
    return step.code in _MAY_LIFT or step.status == "rewritten"
