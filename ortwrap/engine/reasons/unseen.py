"""Why a loss was not found to come from a module: the reason that the user can act on."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.effects.computed_from import computed_from
from ortwrap.engine.effects.statement import EffectsReader, instance_name, place_of, root_place
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.lineage import Ancestor
from ortwrap.engine.reasons.unknown_calls import (
    first_plain_object,
    first_unknown_call,
    is_given,
)
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree


def why_no_module(
    sink: Sink, tree: SourceTree, bindings: Bindings, modules: ModuleTable
) -> Refuse | None:
    """A better reason than that no module is known; None if there is none."""
    loss = tree.brief(sink.loss)
    function = tree.enclosing(sink.call)
    reader = EffectsReader(bindings, function)
    if isinstance(sink.loss, cst.Name) and sink.loss.value == reader.instance:
        # `self.backward()` of a base class elsewhere.
        asked = tree.code(cst.ensure_type(sink.call, cst.Call).func)
        unknown = f", and what `{asked}` runs is not told here"
        return Refuse("OW101", sink.call, loss=tree.brief(sink.call), unknown=unknown)
    body = function if isinstance(function, cst.Module) else function.body
    stored = next(_stored_log_probabilities(tree), None)
    if stored is not None and ".log_prob(" not in tree.module.code_for_node(body):
        line = tree.line(stored)
        return Refuse("OW208", stored, loss=loss, code=tree.brief(stored), line=line)
    kept = next(_filled_elsewhere(sink, tree, bindings), None)
    if kept is not None:
        line = tree.line(kept)
        return Refuse("OW208", kept, loss=loss, code=tree.brief(kept), line=line)
    condition = next(_bound_by_condition(sink, tree, reader), None)
    if condition is not None:
        return Refuse("OW104", condition, loss=loss, line=tree.line(condition))
    picked = next(_picked(body, tree, modules), None)
    if picked is not None:
        return Refuse("OW112", picked, loss=loss, code=tree.brief(picked))
    written = reader.of(body).writes
    for place in reader.of(sink.loss).reads:
        method = _setter(place, sink, tree, bindings) if place not in written else None
        if method is not None:
            return _in_another_method(loss, method, sink, tree)
    for place in sorted(set(reader.of(body).reads) - written):
        method = _setter(place, sink, tree, bindings)
        if method is not None and _runs_module(place, method, tree, bindings, modules):
            return _in_another_method(place, method, sink, tree)
    leaf = next(_leaves(sink, tree, reader), None)
    if leaf is not None:
        return Refuse("OW110", leaf, loss=loss, name=tree.code(leaf))
    if is_given(sink, tree, bindings):
        name = tree.qualified_function(sink.call) or ""
        return Refuse("OW102", loss=loss, function=name)
    plain = first_plain_object(sink, tree, bindings, modules)
    if plain is not None:
        called, home = plain
        name = tree.code(called.func)
        unknown = f": `{name}` is an object of {home}, which is no `nn.Module`"
        if isinstance(called.func, cst.Attribute) and modules.objects.holds(called.func.value):
            unknown = (
                f": `{name}` is of an object of {home}, in which no module was found that it runs"
            )
        return Refuse("OW101", called, loss=loss, unknown=unknown)
    call = first_unknown_call(sink, tree, bindings, modules)
    if call is not None:
        unknown = f", and what `{tree.code(call.func)}` runs is not told here"
        giver = _giver_elsewhere(call.func, reader.instance, modules)
        if giver is not None:
            name = tree.code(call.func)
            unknown = f": `{name}` is a method of {giver.place}, to be rewritten there"
        return Refuse("OW101", call, loss=loss, unknown=unknown)
    return None


def _giver_elsewhere(
    func: cst.BaseExpression, instance: str | None, modules: ModuleTable
) -> Ancestor | None:
    """The base class in another file that has the method which `self.shared_step` is."""
    home, place = modules.classes.home(func), place_of(func, instance)
    if home is None or place is None or "." not in place:
        return None
    givers = modules.classes.lineage(home).givers(place.split(".", 1)[1])
    return givers[0] if givers and givers[0].file is not None else None


def _stored_log_probabilities(tree: SourceTree) -> Iterator[cst.Call]:
    """`saved.append(dist.log_prob(action))`, also inside of a tuple."""
    for call in tree.calls:
        stores = isinstance(call.func, cst.Attribute) and call.func.attr.value == "append"
        if stores and any(
            isinstance(inner, cst.Attribute) and inner.attr.value == "log_prob"
            for argument in call.args
            for inner in descendants(argument.value)
        ):
            yield call


def _filled_elsewhere(sink: Sink, tree: SourceTree, bindings: Bindings) -> Iterator[cst.Call]:
    """`for reward, prob in self.data:`, where another method does `self.data.append(item)`."""
    function = tree.enclosing(sink.call)
    instance = instance_name(function, bindings)
    for loop in tree.ancestors(sink.call):
        place = root_place(loop.iter, instance) if isinstance(loop, cst.For) else None
        if place is None or "." not in place:
            continue
        for call in tree.calls:
            there = tree.enclosing(call)
            adds = isinstance(call.func, cst.Attribute) and call.func.attr.value == "append"
            if adds and there is not function:
                owner = cst.ensure_type(call.func, cst.Attribute).value
                theirs = place_of(owner, instance_name(there, bindings)) or ""
                same_class = tree.enclosing_class(there) is tree.enclosing_class(function)
                if same_class and theirs.partition(".")[2] == place.partition(".")[2]:
                    yield call


def _bound_by_condition(
    sink: Sink, tree: SourceTree, reader: EffectsReader
) -> Iterator[cst.NamedExpr]:
    """`if (loss := criterion(model(x), y)) is not None:` around the backward."""
    read = set(reader.of(sink.loss).reads)
    for ancestor in tree.ancestors(sink.call):
        if isinstance(ancestor, (cst.If, cst.While)):
            for node in descendants(ancestor.test):
                if isinstance(node, cst.NamedExpr) and reader.of(node).writes & read:
                    yield node


def _picked(
    body: cst.CSTNode, tree: SourceTree, modules: ModuleTable
) -> Iterator[cst.BaseExpression]:
    """`models["g"]` where it is called: a module of a list or dict, by its place there."""
    for node in descendants(body):
        func = node.func if isinstance(node, cst.Call) else None
        if isinstance(func, cst.Subscript) and modules.holds_modules(func.value):
            yield func
        if isinstance(node, cst.CompFor) and modules.holds_modules(node.iter):
            yield node.iter
        if isinstance(node, cst.For) and modules.holds_modules(node.iter):
            yield node.iter


def _setter(place: str, sink: Sink, tree: SourceTree, bindings: Bindings) -> cst.FunctionDef | None:
    """The other method that assigns an attribute of the instance."""
    if "." not in place:
        return None
    mine = tree.enclosing(sink.call)
    for function in tree.functions:
        if function is mine or tree.enclosing_class(function) is not tree.enclosing_class(mine):
            continue
        reader = EffectsReader(bindings, function)
        attribute = f"{reader.instance}.{place.split('.', 1)[1]}"
        if function.name.value != "__init__" and attribute in reader.of(function.body).writes:
            return function
    return None


def _in_another_method(value: str, method: cst.FunctionDef, sink: Sink, tree: SourceTree) -> Refuse:
    function = tree.qualified_function(sink.call) or ""
    return Refuse("OW111", method, loss=value, method=method.name.value, function=function)


def _runs_module(
    place: str,
    method: cst.FunctionDef,
    tree: SourceTree,
    bindings: Bindings,
    modules: ModuleTable,
) -> bool:
    """`self.output = self.net(self.data)`: what the method assigns is what a module gave."""
    reader = EffectsReader(bindings, method)
    attribute = f"{reader.instance}.{place.partition('.')[2]}"
    return any(
        isinstance(call, cst.Call) and modules.is_trainable(call.func)
        for node in tree.assignments
        if tree.enclosing(node) is method and attribute in reader.of(node).writes
        for call in descendants(node)
    )


def _leaves(sink: Sink, tree: SourceTree, reader: EffectsReader) -> Iterator[cst.CSTNode]:
    """What is bound to a tensor that requires grad: names, and attributes that the loss reads."""
    mine = tree.enclosing_class(tree.enclosing(sink.call))
    read = {
        place.partition(".")[2]
        for node in computed_from(sink.loss, tree, reader)
        for place in reader.of(node).reads
    }
    for node in tree.assignments:
        target = _trained_by(node) if isinstance(node, cst.Assign) else None
        if target is None:
            continue
        home = tree.enclosing_class(tree.enclosing(node))
        own = place_of(target, instance_name(tree.enclosing(node), reader.bindings)) or ""
        if home is None or (home is mine and own.partition(".")[2] in read - {""}):
            yield target


def _trained_by(node: cst.Assign) -> cst.BaseExpression | None:
    """What an assignment makes a tensor that requires grad: `x.requires_grad = True` as well."""
    target, value = node.targets[0].target, node.value
    if isinstance(target, cst.Attribute) and target.attr.value == "requires_grad":
        return target.value if isinstance(value, cst.Name) and value.value == "True" else None
    return target if any(map(_is_trained, descendants(value))) else None


def _is_trained(node: cst.CSTNode) -> bool:
    """`torch.zeros(1, requires_grad=True)`."""
    return isinstance(node, cst.Call) and any(
        argument.keyword is not None
        and argument.keyword.value == "requires_grad"
        and isinstance(argument.value, cst.Name)
        and argument.value.value == "True"
        for argument in node.args
    )
