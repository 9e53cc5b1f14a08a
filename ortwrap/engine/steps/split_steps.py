"""Steps whose forward and backward are methods of their own, run one after the other.

    def forward(self):                              def forward(self):
        self.output = self.net(self.data)               self.output = self.net(self.data)

    def backward(self):                             def backward(self):
                                                        self.output = self.net(self.data)
        self.loss = criterion(self.output, ...)         self.loss = criterion(self.output, ...)
        self.loss.backward()                            self.loss.backward()

    def optimize_parameters(self):                  def optimize_parameters(self):
        self.forward()
        self.optimizer.zero_grad()                      self.optimizer.zero_grad()
        self.backward()                                 self.backward()

Where nothing else runs the backward of the class, the forward may as well begin it: then model and
loss stand in one method. The forward itself stays for whoever else calls it. A derived class that
has one of these methods of its own would notice, so no file of the project may derive one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader, instance_name, overlap
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.lineage import EMPTY_BASES
from ortwrap.engine.text.edits import indentation
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.rearranged import Rearranged
from ortwrap.engine.text.tree import SourceTree

_MORE_THAN_RUNS = (
    cst.Return, cst.Yield, cst.Await, cst.Global, cst.Nonlocal, cst.FunctionDef, cst.ClassDef,
    cst.Lambda, cst.BaseComp, cst.Import, cst.ImportFrom,
)  # fmt: skip


@dataclass(frozen=True)
class SplitStep:
    """One class with such methods.

    Attributes:
        line: of the first statement of the forward.
        call: the line that runs the forward before the backward.
        first: the first line of the forward's statements.
        last: their last line.
        before: the line of the backward that they come before.
    """

    line: int
    call: int
    first: int
    last: int
    before: int


def with_forward_in_backward(tree: SourceTree, steps: Iterable[SplitStep]) -> Rearranged:
    """The script with each forward at the head of its backward; a comment on the call stays."""
    calls = {step.call for step in steps}
    heads = {step.before: range(step.first, step.last + 1) for step in steps}
    lines: list[int] = []
    texts: list[str] = []
    for number in range(1, tree.line_at(len(tree.text)) + 1):
        for copied in heads.get(number, ()):
            lines.append(copied)
            texts.append(tree.line_text(copied))
        text = tree.line_text(number)
        if number in calls:
            comment = text.partition("#")[1:]
            text = indentation(text) + "".join(comment) if comment[0] else ""
        if text or number not in calls:
            lines.append(number)
            texts.append(text)
    return Rearranged("".join(texts), tuple(lines))


def split_steps(tree: SourceTree, bindings: Bindings, modules: ModuleTable) -> Iterator[SplitStep]:
    """Every class of which nothing but one method runs the forward, and then the backward."""
    search = _Search(tree, bindings, modules)
    for method in tree.functions:
        home = tree.enclosing_class(method)
        if home is not None and home not in modules.module_classes:
            yield from search.run_by(method, home)


class _Search:
    """Looks through the methods of one script."""

    def __init__(self, tree: SourceTree, bindings: Bindings, modules: ModuleTable) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules

    def run_by(self, method: cst.FunctionDef, home: cst.ClassDef) -> Iterator[SplitStep]:
        """The step whose halves a method runs, with nothing between but `zero_grad()`."""
        forward: tuple[cst.Expr, cst.FunctionDef] | None = None
        for line in method.body.body:
            node = _only_statement(line)
            if node is not None and _clears_gradients(node):
                continue
            one_line = node is not None and self._tree.line(node) == self._tree.end_line(node)
            called = self._method_run_by(node, home) if node is not None and one_line else None
            if node is not None and called is not None and forward is not None:
                step = self._step(*forward, called, home)
                if step is not None:
                    yield step
            forward = None if node is None or called is None else (node, called)

    def _method_run_by(self, node: cst.Expr, home: cst.ClassDef) -> cst.FunctionDef | None:
        """The method of the class itself that `self.forward()` is."""
        call = node.value
        if not isinstance(call, cst.Call) or call.args or not isinstance(call.func, cst.Attribute):
            return None
        method = self._modules.classes.called_on_instance(call.func)
        if method is None or self._tree.enclosing_class(method) is not home:
            return None
        plain = not method.decorators and method.asynchronous is None
        params = method.params
        alone = len(params.params) == 1 and not (params.kwonly_params or params.posonly_params)
        return method if plain and alone and isinstance(method.body, cst.IndentedBlock) else None

    def _step(
        self,
        call: cst.Expr,
        forward: cst.FunctionDef,
        backward: cst.FunctionDef,
        home: cst.ClassDef,
    ) -> SplitStep | None:
        start, head = _statements(forward), _statements(backward)
        if not start or not head or forward is backward or not self._fits(forward, backward):
            return None
        if not self._is_run_once(backward, home) or not self._is_final(home, forward, backward):
            return None
        first, before = self._line_of(start[0]), self._line_of(head[0])
        if indentation(self._tree.line_text(self._tree.line(start[0]))) != indentation(
            self._tree.line_text(self._tree.line(head[0]))
        ):
            return None
        last = self._tree.end_line(start[-1])
        line, called = self._tree.line(start[0]), self._tree.line(call)
        return SplitStep(line, called, first, last, before)

    def _line_of(self, statement: cst.CSTNode) -> int:
        """The first line of a statement, or of the comments above it."""
        leading = getattr(statement, "leading_lines", ())
        return self._tree.line(statement) - len(leading)

    def _fits(self, forward: cst.FunctionDef, backward: cst.FunctionDef) -> bool:
        """The forward computes what the backward reads, and no name would mean something else."""
        if any(isinstance(inner, _MORE_THAN_RUNS) for inner in descendants(forward.body)):
            return False
        instance = instance_name(forward, self._bindings)
        if instance is None or instance != instance_name(backward, self._bindings):
            return False
        ours, theirs = (self._bindings.scope(each).names.keys() for each in (forward, backward))
        read, mentioned = _names(forward), _names(backward)
        if (ours & mentioned) - {instance} or (theirs & read) - {instance}:
            return False
        computed = EffectsReader(self._bindings, forward).of(forward.body).changes
        used = EffectsReader(self._bindings, backward).of(backward.body).reads
        return bool(overlap(computed, set(used)))

    def _is_run_once(self, backward: cst.FunctionDef, home: cst.ClassDef) -> bool:
        """Nothing else in the file calls the method, or hands it on."""
        name, found = backward.name.value, 0
        for node in self._tree.parents:
            if isinstance(node, cst.Attribute) and node.attr.value == name:
                owner = node.value
                parent = self._tree.parents[node]
                called = isinstance(parent, cst.Call) and parent.func is node
                tensor = called and self._is_no_instance(owner, home)
                found += not tensor
        return found == 1

    def _is_no_instance(self, owner: cst.BaseExpression, home: cst.ClassDef) -> bool:
        """`self.loss` in `self.loss.backward()`: a tensor, of which the class makes none."""
        if isinstance(owner, cst.Name) and owner.value == instance_name(
            self._tree.enclosing(owner), self._bindings
        ):
            return False
        values = self._modules.values(owner)
        made = any(self._modules.classes.made_by(value) is home for value in values)
        by_super = isinstance(owner, cst.Call) and self._tree.code(owner.func) == "super"
        return not made and not by_super

    def _is_final(
        self, home: cst.ClassDef, forward: cst.FunctionDef, backward: cst.FunctionDef
    ) -> bool:
        """No file of the project derives the class, or runs the two methods by itself.

        A base class that is not found could.
        """
        elsewhere, name = self._bindings.elsewhere, home.name.value
        lineage = self._modules.classes.lineage(home)
        runs_it = f".{backward.name.value}()"
        if elsewhere is None or self._modules.classes.derived(home):
            return False
        if not EMPTY_BASES.issuperset(lineage.libraries) or any(
            runs_it in base.bindings.tree.code(base.node) for base in lineage.elsewhere()
        ):
            return False
        others = elsewhere.mentioning(name)
        if others is None or any(_may_derive(name, other.text) for other in others):
            return False
        texts = [other.text for other in elsewhere.mentioning(f".{backward.name.value}(") or ()]
        names = forward.name.value, backward.name.value
        return not any(_runs_both(*names, text) for text in (*texts, self._tree.text))


def _may_derive(name: str, text: str) -> bool:
    """A class names another among its bases, or that goes by another name."""
    derives = rf"class\s+\w+\s*\([^)]*\b{name}\b|\b{name}\s+as\b|=\s*(?:\w+\.)*{name}\s*$"
    return re.search(derives, text, re.MULTILINE) is not None


def _runs_both(forward: str, backward: str, text: str) -> bool:
    """`model.forward()`, and `model.backward()` as well; methods of a class run their own."""
    owners = re.findall(rf"([\w.]+)\.{forward}\(\s*\)", text)
    return any(f"{owner}.{backward}()" in text for owner in owners if owner != "self")


def _only_statement(line: cst.CSTNode) -> cst.Expr | None:
    """The expression that stands on a line alone."""
    alone = isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1
    node = line.body[0] if isinstance(line, cst.SimpleStatementLine) and alone else None
    return node if isinstance(node, cst.Expr) else None


def _clears_gradients(node: cst.Expr) -> bool:
    """`self.optimizer.zero_grad()`: neither model nor loss reads a gradient."""
    func = node.value.func if isinstance(node.value, cst.Call) else None
    of_another = isinstance(func, cst.Attribute) and isinstance(func.value, cst.Attribute)
    return of_another and cst.ensure_type(func, cst.Attribute).attr.value == "zero_grad"


def _statements(method: cst.FunctionDef) -> list[cst.BaseStatement]:
    """What a method does, but for its docstring."""
    block = method.body
    body = list(block.body) if isinstance(block, cst.IndentedBlock) else []
    first = _only_statement(body[0]) if body else None
    told = first is not None and isinstance(first.value, (cst.SimpleString, cst.ConcatenatedString))
    return body[1:] if told else body


def _names(method: cst.FunctionDef) -> set[str]:
    return {inner.value for inner in descendants(method.body) if isinstance(inner, cst.Name)}
