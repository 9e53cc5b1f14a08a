"""What was seen of Python state, so that whether any of it changed is asked at the speed of C."""

from __future__ import annotations

import operator
import types
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Callable

from torch import Tensor

from .contents import Content

_SHAPE = Tensor.shape.__get__  # type: ignore[attr-defined]
_TRAINED = Tensor.requires_grad.__get__  # type: ignore[attr-defined]


class Ledger:
    """Namespaces, containers and tensors, each with what was in it."""

    def __init__(self) -> None:
        # In flat lists, so that `unchanged` compares them without a loop in Python.
        self._spaces: list[dict[str, Any]] = []
        self._names: list[str] = []
        self._values: list[Any] = []
        self._places: dict[tuple[int, str], list[int]] = {}
        # The same for classes, whose namespaces are views.
        self._views: list[Any] = []
        self._members: list[str] = []
        self._member_values: list[Any] = []
        self._sized: list[Any] = []
        self._sizes: list[int] = []
        self._ordered: list[dict[Any, Any]] = []
        self._orders: list[tuple[Any, ...]] = []
        self._shaped: list[Tensor] = []
        self._shapes: list[Any] = []
        self._trainable: list[Tensor] = []
        self._trained: list[bool] = []
        self._lists: list[tuple[Any, tuple[Any, ...]]] = []
        self._sets: list[tuple[Any, frozenset[Any]]] = []
        self._contents: list[Content] = []
        self._arrays: list[tuple[Any, bytes]] = []
        self._answers: list[tuple[Callable[[], Any], Any]] = []

    @property
    def sizes(self) -> tuple[int, ...]:
        """Those of the containers so far."""
        return tuple(self._sizes)

    def rows(self, namespace: dict[str, Any], names: Sequence[str], values: Sequence[Any]) -> None:
        """What stands in a namespace under some names."""
        self._spaces.extend([namespace] * len(names))
        self._names.extend(names)
        self._values.extend(values)

    def members(self, view: Any, names: Sequence[str], values: Sequence[Any]) -> None:
        """What stands in a class under some names."""
        self._views.extend([view] * len(names))
        self._members.extend(names)
        self._member_values.extend(values)

    def size(self, container: Any) -> None:
        """How much is in a container."""
        self._sized.append(container)
        self._sizes.append(len(container))

    def order(self, table: dict[Any, Any]) -> None:
        """Which keys a dictionary has, in which order."""
        self._ordered.append(table)
        self._orders.append(tuple(table))

    def items(self, sequence: Any) -> None:
        """Which objects are in a list."""
        self._lists.append((sequence, tuple(sequence)))

    def group(self, values: Any) -> None:
        """What is in a set."""
        self._sets.append((values, frozenset(values)))

    def registered(self, parameters: Iterable[Tensor], buffers: Iterable[Tensor]) -> None:
        """The sizes of a model's tensors, and whether a buffer is trained."""
        kept = tuple(buffers)
        self._shaped += [*parameters, *kept]
        self._shapes += map(_SHAPE, [*parameters, *kept])
        self._trains(kept)

    def tensor(self, tensor: Tensor) -> Hashable:
        """The content of a tensor that a graph takes for constant."""
        content = Content(tensor)
        self._contents.append(content)
        self._trains((tensor,))
        return content.key

    def array(self, array: Any) -> bytes:
        """The content of an array of NumPy."""
        content: bytes = array.tobytes()
        self._arrays.append((array, content))
        return content

    def answer(self, question: Callable[[], Any]) -> Any:
        """What a question is answered with."""
        answer = question()
        self._answers.append((question, answer))
        return answer

    def unchanged(self) -> bool:
        """Whether everything is what it was. False may also mean equal, but another object."""
        found = map(dict.get, self._spaces, self._names)
        members = map(types.MappingProxyType.get, self._views, self._members)
        return (
            all(map(operator.is_, found, self._values))
            and all(map(operator.is_, members, self._member_values))
            and list(map(len, self._sized)) == self._sizes
            and list(map(_SHAPE, self._shaped)) == self._shapes
            and list(map(_TRAINED, self._trainable)) == self._trained
            and list(map(tuple, self._ordered)) == self._orders
            and self._content_unchanged()
        )

    def follow(self, namespace: dict[str, Any], name: str) -> None:
        """Takes what stands in a namespace now for what has been there all the time."""
        if (id(namespace), name) not in self._places:
            rows = enumerate(zip(self._spaces, self._names))
            self._places[id(namespace), name] = [
                index for index, (space, known) in rows if space is namespace and known == name
            ]
        for index in self._places[id(namespace), name]:
            self._values[index] = namespace.get(name)

    def first_change(self) -> str:
        """The name of something that is not what it was, to show to the user."""
        rows = zip(self._spaces, self._names, self._values)
        for space, name, value in rows:
            if space.get(name) is not value:
                return f"`{name}`"
        return "what it reads"

    def _trains(self, tensors: Sequence[Tensor]) -> None:
        self._trainable += tensors
        self._trained += map(_TRAINED, tensors)

    def _content_unchanged(self) -> bool:
        for sequence, items in self._lists:
            if len(sequence) != len(items) or not all(map(operator.is_, sequence, items)):
                return False
        if not all(content.unchanged() for content in self._contents):
            return False
        for question, answer in self._answers:
            if question() is not answer:
                return False
        for array, content in self._arrays:
            if array.tobytes() != content:
                return False
        return all(group == content for group, content in self._sets)
