"""Which method calls change the object that they are called on."""

from __future__ import annotations

import libcst as cst

_ADD = frozenset("append extend insert".split())
_CHANGE = frozenset(
    "append extend insert update setdefault reverse clear appendleft popleft pop popitem remove "
    "discard rotate __setitem__ __delitem__ __setattr__ __delattr__".split()
)
# These give tensors anew, and change lists and sets: whoever wants the result asks a tensor.
_CHANGE_IF_UNASKED = frozenset("add sort subtract".split())


def changes_its_object(method: str, *, asked: bool) -> bool:
    """`ids.append(i)`, `seen.add(i)`, `mask.mul_(2)`.

    Args:
        method: its name.
        asked: something is done with what the call gives.
    """
    in_place = method.endswith("_") and not method.endswith("__")
    return in_place or method in _CHANGE or (method in _CHANGE_IF_UNASKED and not asked)


def may_be_handed_on(method: str) -> bool:
    """`map(terms.append, found)`: an attribute of this name is a method that changes its object.

    One that ends in an underscore may as well be data: `self.y_real_`.
    """
    return method in _CHANGE


def only_adds(method: str) -> bool:
    """What the object held before it still holds, at the same places."""
    return method in _ADD or method == "add"


def has_key(target: cst.CSTNode) -> bool:
    """`terms["pixel"]`: an entry of a dict, whose other values stay what they are."""
    index = target.slice[0].slice if isinstance(target, cst.Subscript) else None
    key = index.value if isinstance(index, cst.Index) else None
    return isinstance(key, (cst.SimpleString, cst.FormattedString))
