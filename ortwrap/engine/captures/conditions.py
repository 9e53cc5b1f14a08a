"""The conditions of the branches that a part of the slice stands in, written before the call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Union

import libcst as cst

from ortwrap.engine.captures.walked import Guard
from ortwrap.engine.text.tree import SourceTree

Case = tuple[str, Union[str, int]]


def texts_of(guards: Iterable[Guard], tree: SourceTree) -> tuple[str, ...]:
    """What has to hold, condition by condition, for the innermost branch to be taken."""
    known = list(guards)
    met = [_case(guard, tree) for guard in known if guard.wanted]
    return tuple(
        dict.fromkeys(
            _text(guard, tree)
            for guard in known
            if guard.wanted or not _is_implied(_case(guard, tree), met)
        )
    )


def any_of(alternatives: Sequence[Sequence[Guard]], tree: SourceTree) -> str:
    """The condition under which one branch of several is taken; empty if one always is."""
    texts = list(dict.fromkeys(texts_of(guards, tree) for guards in alternatives))
    if () in texts:
        return ""
    found = [_only_case(guards, tree) for guards in alternatives]
    cases = [case for case in found if case is not None]
    if len(texts) > 1 and len(cases) == len(found) and len({place for place, _ in cases}) == 1:
        literals = dict.fromkeys(text[0].partition(" == ")[2] for text in texts)
        return f"{cases[0][0]} in ({', '.join(literals)})"
    several = len(texts) > 1
    joined = [" and ".join(text) for text in texts]
    return " or ".join(
        f"({text})" if several and len(each) > 1 else text for text, each in zip(joined, texts)
    )


def _text(guard: Guard, tree: SourceTree) -> str:
    text = tree.source(guard.test)
    plain = isinstance(guard.test, (cst.Name, cst.Attribute, cst.Comparison))
    text = text if plain or guard.test.lpar else f"({text})"
    return text if guard.wanted else f"not {text}"


def _only_case(guards: Sequence[Guard], tree: SourceTree) -> Case | None:
    """The one case that a branch of an `elif` chain over one value stands for."""
    wanted = [guard for guard in guards if guard.wanted]
    plain = len(wanted) == 1 and len(texts_of(guards, tree)) == 1
    return _case(wanted[0], tree) if plain else None


def _case(guard: Guard, tree: SourceTree) -> Case | None:
    """`kind == "hint"`, as the value that is looked at and the one that it is compared with."""
    test = guard.test
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return None
    (compared,) = test.comparisons
    literal = compared.comparator
    if not isinstance(compared.operator, cst.Equal):
        return None
    if not isinstance(literal, (cst.SimpleString, cst.Integer)):
        return None
    value = literal.evaluated_value
    return (tree.code(test.left), value) if isinstance(value, (str, int)) else None


def _is_implied(case: Case | None, met: Sequence[Case | None]) -> bool:
    """What is `"hint"` is not `"kd"`."""
    return case is not None and any(
        other is not None and other[0] == case[0] and other[1] != case[1] for other in met
    )
