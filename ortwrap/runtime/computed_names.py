"""Whether code gets at attributes by names that it computes: `getattr(self, "weight_" + kind)`."""

from __future__ import annotations

import dis
import functools
import types
from collections.abc import Sequence

# By these code gets at any attribute.
_ANY = frozenset(["vars", "eval", "exec", "getmembers", "__dict__", "__getattribute__"])
# Of these the name is an argument, by its position.
_NAMED_BY = {"getattr": 1, "attrgetter": 0}
_SAYS_NOTHING = frozenset(["CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "PUSH_NULL", "RESUME"])
_CALLS = frozenset(["CALL", "CALL_FUNCTION", "CALL_METHOD"])


@functools.lru_cache(maxsize=16384)
def computes_names(code: types.CodeType) -> bool:
    """Whether the code, or a function in it, may read an attribute that it does not name."""
    inside = (one for one in code.co_consts if isinstance(one, types.CodeType))
    if not _ANY.isdisjoint(code.co_names) or any(map(computes_names, inside)):
        return True
    if _NAMED_BY.keys().isdisjoint(code.co_names):
        return False
    steps = [step for step in dis.get_instructions(code) if step.opname not in _SAYS_NOTHING]
    return any(
        not _is_literal(steps[at + 1 :], _NAMED_BY[step.argval])
        for at, step in enumerate(steps)
        if step.opname.startswith("LOAD_") and step.argval in _NAMED_BY
    )


def _is_literal(steps: Sequence[dis.Instruction], position: int) -> bool:
    """Whether an argument of the call that follows is text, as far as it can be told.

    Args:
        steps: what follows on the function that is called.
        position: of the argument.
    """
    depth = 0
    for at, step in enumerate(steps):
        if step.opname in _CALLS and depth == step.arg:
            return False
        depth += dis.stack_effect(step.opcode, step.arg, jump=False)
        if depth == position + 1:
            constant = step.opname == "LOAD_CONST" and isinstance(step.argval, str)
            if constant or position == 0:
                return constant and _stays(steps[at + 1 :], position + 1)
            if depth > 1:
                return False
    return False


def _stays(steps: Sequence[dis.Instruction], above: int) -> bool:
    """Whether nothing is done with so many arguments until the call."""
    depth = above
    for step in steps:
        if step.opname in _CALLS and depth == step.arg:
            return True
        depth += dis.stack_effect(step.opcode, step.arg, jump=False)
        if depth <= above:
            return False
    return False
