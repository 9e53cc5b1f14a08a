"""The code that a call is known to run: of the script, of another file, or of a class of either.

model = models.make(options)     # def make(options): return Meta(encoder(options))
logits = model.adapt(x)          # the class's `adapt`, and what that calls
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from ortwrap.engine.effects.statement import instance_name
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.classes import RUN_BY_A_CALL
from ortwrap.engine.names.elsewhere import OtherFile, defined_elsewhere
from ortwrap.engine.names.made_elsewhere import returned
from ortwrap.engine.text.nodes import calls_in

_MOST_PIECES = 60
# A factory may hand on what another one makes: a longer chain is followed no further.
_LONGEST_CHAIN = 4


@dataclass(frozen=True)
class Code:
    """A piece of code, and what its file knows.

    Attributes:
        node: the code.
        bindings: what its names refer to.
        modules: the modules of its file.
        file: where it stands, if not in the script.
    """

    node: cst.CSTNode
    bindings: Bindings
    modules: ModuleTable
    file: OtherFile | None = None


def code_behind(start: Code) -> Iterator[Code]:
    """A piece of code, and all that running it is known to run, each once."""
    seen: set[cst.CSTNode] = set()
    waiting = [start]
    while waiting and len(seen) < _MOST_PIECES:
        code = waiting.pop()
        if code.node in seen:
            continue
        seen.add(code.node)
        yield code
        for call in calls_in(code.node):
            waiting += _run_by(call, code)


def _run_by(call: cst.Call, at: Code) -> Iterator[Code]:
    """What one call runs: a function, a constructor, an object or a method of one."""
    own = at.modules.classes.called(
        call.func, instance_name(at.bindings.tree.enclosing(call), at.bindings)
    )
    if own is not None:
        yield replace(at, node=own.body)
    defined = _defined(call.func, at)
    if defined is not None and isinstance(defined.node, cst.ClassDef):
        yield from _methods(defined, ("__init__",))
    elif defined is not None and isinstance(defined.node, cst.FunctionDef) and own is None:
        yield replace(defined, node=defined.node.body)
    for home in _classes_of(call.func, at):
        yield from _methods(home, RUN_BY_A_CALL)
    if isinstance(call.func, cst.Attribute):
        for home in _classes_of(call.func.value, at):
            yield from _methods(home, (call.func.attr.value,))


def _methods(home: Code, names: tuple[str, ...]) -> Iterator[Code]:
    node = cst.ensure_type(home.node, cst.ClassDef)
    for method in home.modules.classes.inherited_among(node, names):
        yield replace(home, node=method.body)


def _classes_of(owner: cst.CSTNode, at: Code) -> Iterator[Code]:
    """The classes of which a name or an attribute is given an instance."""
    for value in at.modules.values(owner):
        if isinstance(value, cst.Call):
            yield from _made_by(value, at, _LONGEST_CHAIN)


def _made_by(value: cst.BaseExpression, at: Code, chain: int) -> Iterator[Code]:
    """The classes of which an expression may be a new instance."""
    if isinstance(value, cst.Name):
        for assigned in at.modules.values(value):
            if chain:
                yield from _made_by(assigned, at, chain - 1)
        return
    defined = _defined(value.func, at) if isinstance(value, cst.Call) else None
    if defined is not None and isinstance(defined.node, cst.ClassDef):
        yield defined
    elif defined is not None and isinstance(defined.node, cst.FunctionDef) and chain:
        for made in returned(defined.node):
            yield from _made_by(made, defined, chain - 1)


def _defined(func: cst.BaseExpression, at: Code) -> Code | None:
    """The function or class that an expression names, wherever it stands."""
    here = at.bindings.definition(func)
    if here is not None:
        return replace(at, node=here)
    found = defined_elsewhere(func, at.bindings)
    if found is None or found.file.is_being_read:
        return None
    return Code(found.node, found.file.bindings, found.file.modules, found.file)
