"""What is known of the items of lists and dicts: `models["g"]`, `nets[0]`, each one in a loop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Callable, Union

import libcst as cst

from ortwrap.engine.evidence.kinds import MODULE_METHODS, MODULE_NAME, Evidence, is_criterion_name
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.containers import loop_pairs, members
from ortwrap.engine.text.tree import SourceTree

Key = tuple[cst.CSTNode, str]
Item = tuple[Key, Union[str, int]]

_CONTAINER_NAME = re.compile(
    r"(?:^|_)(?:models?|nets?|networks?|(?:generat|discriminat)ors?|(?:en|de)coders?|critics?"
    r"|actors?|experts?|students?|teachers?|agents?|classifiers?)(?:_dict|_list|s)?$",
    re.IGNORECASE,
)


class Members:
    """Learns which lists and dicts of a script hold modules, as a whole and item by item.

    Args:
        tree: the script.
        bindings: its names.
        key: tells places apart.
        of_value: what is known of the object that an expression gives.
        of_place: what is known of the object at a place.
    """

    def __init__(
        self,
        tree: SourceTree,
        bindings: Bindings,
        key: Callable[[cst.CSTNode], Key | None],
        of_value: Callable[[cst.BaseExpression], Evidence | None],
        of_place: Callable[[Key], Evidence | None],
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._key = key
        self._of_value = of_value
        self._of_place = of_place
        self._containers: dict[Key, Evidence] = {}
        self._items: dict[Item, Evidence] = {}
        self._mappings: set[Key] = set()
        self._picked_from = {key(node.value) for node in self._used_items()}

    def is_container(self, key: Key) -> bool:
        """A place whose items are called or asked for parameters: no module by its name alone."""
        return key in self._picked_from

    def is_mapping(self, container: cst.CSTNode) -> bool:
        """A dict, which a loop over it gives the keys of."""
        return self._key(container) in self._mappings

    def of_each(self, iterable: cst.BaseExpression) -> Evidence | None:
        """What is known of what a loop over it gives: a dict gives its keys."""
        if isinstance(iterable, (cst.Dict, cst.DictComp)) or self._key(iterable) in self._mappings:
            return None
        return self.of_all(iterable)

    def of_all(self, container: cst.CSTNode) -> Evidence | None:
        """What is known of each of the objects in a list or dict."""
        if isinstance(container, (cst.Name, cst.Attribute)):
            key = self._key(container)
            return None if key is None else self._containers.get(key)
        if not isinstance(container, cst.BaseExpression):
            return None
        found = [self._of_value(member) for member in members(container)]
        return found[0] if found and all(found) else None

    def of_item(self, node: cst.Subscript) -> Evidence | None:
        """What is known of the object that an index or a key picks."""
        key, item = self._key(node.value), self._item(node)
        if item is not None and item in self._items:
            return self._items[item]
        if key is None or not _is_one_item(node):
            return None
        return self._containers.get(key) or self._by_name(key, item)

    def _by_name(self, key: Key, item: Item | None) -> Evidence | None:
        known = self._of_place(key)
        if key not in self._picked_from or (known is not None and known.strength > 0):
            return None
        of_key = item is not None and isinstance(item[1], str) and MODULE_NAME.search(item[1])
        if is_criterion_name(key[1]):
            return Evidence("criterion", "its name says so", 0)
        if of_key or _CONTAINER_NAME.search(key[1]):
            return Evidence("module", "its name says so", 0)
        return None

    @property
    def known(self) -> int:
        """How much is known so far."""
        return len(self._containers) + len(self._items)

    def learn(self) -> None:
        """Look through the script once."""
        for node in self._tree.assignments:
            if isinstance(node, cst.Assign):
                for item in node.targets:
                    self._assign(item.target, node.value)
            elif isinstance(node, cst.AnnAssign) and node.value is not None:
                self._assign(node.target, node.value)
        for call in self._tree.calls:
            if isinstance(call.func, cst.Attribute):
                self._method(call, call.func)
        for unit in self._tree.units:
            if isinstance(unit, cst.For):
                for target, items, _ in loop_pairs(unit.target, unit.iter, self._bindings):
                    self._loop(target, items)

    def pass_on(self, source: cst.CSTNode, target: Key) -> None:
        """A place gets the very list or dict that another one holds."""
        key = self._key(source) if isinstance(source, (cst.Name, cst.Attribute)) else None
        if key is None:
            return
        if key in self._mappings:
            self._mappings.add(target)
        if key in self._containers:
            self._containers.setdefault(target, self._containers[key])
        for (owner, index), evidence in list(self._items.items()):
            if owner == key:
                self._items.setdefault((target, index), evidence)

    def _assign(self, target: cst.CSTNode, value: cst.BaseExpression) -> None:
        if isinstance(target, cst.Subscript):
            self._note(self._item(target), self._of_value(value))
            return
        key = self._key(target)
        if key is None:
            return
        self.pass_on(value, key)
        if isinstance(value, (cst.Dict, cst.DictComp)):
            self._mappings.add(key)
        known = self.of_all(value)
        if known is not None:
            self._containers[key] = known
        for index, item in _indexed(value):
            self._note((key, index), self._of_value(item))

    def _method(self, call: cst.Call, func: cst.Attribute) -> None:
        if isinstance(func.value, cst.Subscript) and func.attr.value in MODULE_METHODS:
            reason = f"`.{func.attr.value}()` is called on it"
            self._note(self._item(func.value), Evidence("module", reason, 2))
        if func.attr.value == "append" and len(call.args) == 1:
            key, known = self._key(func.value), self._of_value(call.args[0].value)
            if key is not None and known is not None:
                self._containers.setdefault(key, known)

    def _loop(self, target: cst.CSTNode, container: cst.BaseExpression) -> None:
        """What a loop does with each item is done with all that its list holds."""
        key, variable = self._key(container), self._key(target)
        if key is None or variable is None:
            return
        known = self._of_place(variable)
        if known is not None and known.strength > 1:
            self._containers.setdefault(key, known)

    def _note(self, item: Item | None, evidence: Evidence | None) -> None:
        if item is not None and evidence is not None:
            self._items.setdefault(item, evidence)

    def _item(self, node: cst.Subscript) -> Item | None:
        key, index = self._key(node.value), constant_index(node)
        return None if key is None or index is None else (key, index)

    def _used_items(self) -> Iterator[cst.Subscript]:
        """`nets["g"]` in `nets["g"](x)` and in `nets["g"].parameters()`."""
        for call in self._tree.calls:
            func = call.func
            if isinstance(func, cst.Attribute) and func.attr.value in MODULE_METHODS:
                func = func.value
            if isinstance(func, cst.Subscript):
                yield func


def constant_index(node: cst.Subscript) -> str | int | None:
    """The key or position that is written between the brackets."""
    index = node.slice[0].slice
    if len(node.slice) != 1 or not isinstance(index, cst.Index):
        return None
    if isinstance(index.value, cst.SimpleString):
        value = index.value.evaluated_value
        return value if isinstance(value, str) else None
    return int(index.value.value) if isinstance(index.value, cst.Integer) else None


def _is_one_item(node: cst.Subscript) -> bool:
    """`nets[i]` and `nets["g"]`, not `nets[:2]`."""
    return len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index)


def _indexed(value: cst.BaseExpression) -> Iterator[tuple[str | int, cst.BaseExpression]]:
    """The items of a list or dict that is written out, each with its key or position."""
    if isinstance(value, (cst.List, cst.Tuple)):
        yield from ((index, item.value) for index, item in enumerate(value.elements))
    elif isinstance(value, cst.Dict):
        for item in value.elements:
            key = item.key if isinstance(item, cst.DictElement) else None
            if isinstance(key, cst.SimpleString) and isinstance(key.evaluated_value, str):
                yield key.evaluated_value, item.value
