"""What some dictionaries, lists, sets and objects hold, remembered and given back."""

from __future__ import annotations

import types
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

# Deeper or larger than this is no configuration or counter of a model, but its user's data.
_MAX_DEPTH = 4
_MAX_CONTAINERS = 20_000

_CONTAINERS = (dict, OrderedDict, list, set, deque)
_LEAVE_ALONE = (
    Tensor,
    nn.Module,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    type,
)
_MISSING = object()


class Containers:
    """Containers, and those inside of them, at one moment."""

    def __init__(self) -> None:
        self._held: list[tuple[Any, Any]] = []
        self._seen: set[int] = set()

    def remember(self, value: Any, depth: int = 0) -> None:
        """Remembers what a value holds, if it is a container, or an object with attributes."""
        if type(value) in _CONTAINERS:
            self.remember_container(value, depth)
        elif hasattr(value, "__dict__") and not isinstance(value, _LEAVE_ALONE):
            self.remember_container(vars(value), depth)

    def remember_container(self, container: Any, depth: int = 0) -> None:
        """The same for what is known to be a container."""
        if id(container) in self._seen or len(self._seen) > _MAX_CONTAINERS:
            return
        self._seen.add(id(container))
        is_dict = isinstance(container, dict)
        values = list(container.values()) if is_dict else list(container)
        self._held.append((container, dict(container) if is_dict else values))
        if depth == _MAX_DEPTH:
            return
        for value in values:
            self.remember(value, depth + 1)

    def restore(self) -> None:
        """Puts everything back into the containers, which stay the same objects."""
        for container, content in self._held:
            _refill(container, content)

    def changes(self) -> Iterator[tuple[Any, str, Any]]:
        """What was set, removed or added since: the container, a name, and what it held."""
        for container, content in self._held:
            for name in _differences(container, content):
                yield container, name, content


def _refill(container: Any, content: Any) -> None:
    if isinstance(container, dict):
        if not _same_dict(container, content):
            container.clear()
            container.update(content)
    elif isinstance(container, set):
        if container != set(content):
            container.clear()
            container.update(content)
    elif not _same_items(container, content):
        container.clear()
        container.extend(content)


def _differences(container: Any, content: Any) -> list[str]:
    if isinstance(container, dict):
        return [
            str(key)
            for key in {**container, **content}
            if not _unchanged(container.get(key, _MISSING), content.get(key, _MISSING))
        ]
    if isinstance(container, set):
        return [] if container == set(content) else ["a set"]
    return [] if _same_items(container, content) else [f"a {type(container).__name__}"]


def _unchanged(value: Any, before: Any) -> bool:
    if value is before:
        return True
    plain = isinstance(value, (bool, int, float, str)) and type(value) is type(before)
    return plain and bool(value == before)


def _same_dict(left: dict[Any, Any], right: dict[Any, Any]) -> bool:
    return list(left) == list(right) and _same_items(left.values(), right.values())


def _same_items(left: Any, right: Any) -> bool:
    return len(left) == len(right) and all(a is b for a, b in zip(left, right))
