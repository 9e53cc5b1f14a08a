"""Functions that a step runs, with what is needed to read the names in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import OtherFile
from ortwrap.engine.names.lineage import Lineage
from ortwrap.engine.text.nodes import children

_OTHER_CODE = (cst.FunctionDef, cst.ClassDef, cst.Lambda)


@dataclass(frozen=True)
class Source:
    """The script, or another file of its project.

    Attributes:
        bindings: its names.
        script: what is known of the script's modules.
        file: that other file; None for the script.
    """

    bindings: Bindings
    script: ModuleTable
    file: OtherFile | None = None

    def values(self, node: cst.CSTNode) -> list[cst.BaseExpression]:
        """What is assigned to a name or attribute, or passed for it; nothing where some is not."""
        modules = self.script if self.file is None else self.file.modules
        return modules.all_values(node) or []

    def place(self, node: cst.CSTNode) -> str:
        """Where a node stands: `net.py:12`, or `line 12` of the script."""
        if self.file is not None:
            return self.file.place(node)
        return f"line {self.bindings.tree.line(node)}"

    def beside(self, bindings: Bindings, file: OtherFile | None) -> Source:
        """Another file of the project, or the script."""
        return Source(bindings, self.script, file)


@dataclass(frozen=True)
class Code:
    """One function, or the statements of a step.

    Attributes:
        body: what runs.
        source: where it stands.
        instance: what it calls its instance; empty for what is no method.
        lineage: of that instance's class, which may derive from that of the method.
        function: the function; None for the statements of a step.
    """

    body: Sequence[cst.CSTNode]
    source: Source
    instance: str = ""
    lineage: Lineage | None = None
    function: cst.FunctionDef | None = None

    @property
    def name(self) -> str:
        """What people are told of it: `Net.forward`."""
        if self.function is None:
            return ""
        name = self.function.name.value
        home = self.source.bindings.tree.enclosing_class(self.function)
        return name if home is None else f"{home.name.value}.{name}"

    def is_instance(self, node: cst.CSTNode) -> bool:
        """`self`, in a method."""
        return isinstance(node, cst.Name) and bool(self.instance) and node.value == self.instance

    def runs(self) -> Iterator[cst.CSTNode]:
        """The nodes that run each time a training step does, as far as no branch is known."""
        for node in self.body:
            yield from self._run_each_time(node)

    def _run_each_time(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        if not isinstance(node, _OTHER_CODE):
            yield node
            for child in self._inside(node):
                yield from self._run_each_time(child)

    def _inside(self, node: cst.CSTNode) -> list[cst.CSTNode]:
        """The parts of a node that run whenever it does."""
        if isinstance(node, cst.If):
            return [node.test, node.body] if self._asks_for_training(node.test) else [node.test]
        if isinstance(node, cst.IfExp):
            return [node.test]
        if isinstance(node, cst.BooleanOperation):
            return [node.left]
        if isinstance(node, (cst.Try, cst.TryStar)):
            return [node.body]
        if isinstance(node, (cst.While, cst.Match)):
            return []
        return children(node)

    def _asks_for_training(self, test: cst.BaseExpression) -> bool:
        """`if self.training`"""
        asked = isinstance(test, cst.Attribute) and test.attr.value == "training"
        return asked and self.is_instance(cst.ensure_type(test, cst.Attribute).value)
