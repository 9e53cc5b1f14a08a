"""Functions and methods of this file that a step calls: what they run, and whether forward may."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy

import libcst as cst

from ortwrap.engine.captures.reports import Reports
from ortwrap.engine.effects.asked_arguments import is_asked_of_arguments
from ortwrap.engine.effects.bare_layers import layer_with_drawn_weights
from ortwrap.engine.effects.counted_arguments import casts_a_count
from ortwrap.engine.effects.filled_places import FilledPlaces
from ortwrap.engine.effects.gradients import GradientFlow
from ortwrap.engine.effects.hidden_changes import Callees
from ortwrap.engine.effects.questions import first_question
from ortwrap.engine.effects.statement import EffectsReader, instance_name, place_of, root_place
from ortwrap.engine.effects.traces import Traces
from ortwrap.engine.evidence.counts import counts_elements
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Binding, Bindings, Scope
from ortwrap.engine.names.constants import is_constant
from ortwrap.engine.names.held_module import HeldModule
from ortwrap.engine.names.members import constant_index
from ortwrap.engine.names.object_methods import MethodOfObject
from ortwrap.engine.names.steady import Meanwhile, changes_after_init
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.nodes import children
from ortwrap.engine.text.tree import SourceTree

_FILLS = frozenset("append extend insert update".split())
_BEGIN_ANEW = frozenset("parameters named_parameters buffers children modules".split())
_NOT_OF_VALUES = frozenset(["requires_grad_", "detach_"])


class Helpers:
    """What is known about the functions of one script.

    Attributes:
        callees: what they change.
        traces: what the run of a model leaves behind.
        filled: names that it may fill.
    """

    def __init__(self, tree: SourceTree, bindings: Bindings, modules: ModuleTable) -> None:
        self.callees = Callees(bindings, modules)
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._held: dict[cst.FunctionDef, tuple[HeldModule, ...]] = {}
        self._verdicts: dict[cst.FunctionDef, Refuse | None] = {}
        self._meanwhile: Meanwhile | None = None
        self.traces = Traces(tree, bindings, modules)
        self.filled = FilledPlaces(bindings, modules.module_classes)

    def between_steps_of(self, function: cst.CSTNode) -> Helpers:
        """The same, for steps in a loop of this function: what its loop changes is in question.

        What changes from one call of the function to the next, such as a mask for each task, is
        part of what the runtime looks at before it uses a graph.
        """
        others = copy(self)
        others._verdicts = {}
        others._meanwhile = Meanwhile(function, self._bindings, self._method_of)
        return others

    def called(self, func: cst.CSTNode) -> cst.FunctionDef | None:
        """The function or method of this file that an expression calls, if it is certain."""
        if isinstance(func, cst.Name):
            defined = self._bindings.definition(func)
            return defined if isinstance(defined, cst.FunctionDef) else None
        if not isinstance(func, cst.Attribute):
            return None
        function = self._tree.enclosing(func)
        instance = instance_name(function, self._bindings)
        if instance is None or place_of(func, instance) is None:
            return None
        return self._modules.classes.called_on_instance(func)

    def variants(self, func: cst.CSTNode) -> list[cst.FunctionDef]:
        """What a function that is defined more than once may be, and the methods that `self.step`
        may be, where classes of this file have their own.
        """
        if isinstance(func, cst.Name):
            bound = [binding.node for binding in self._bindings.lookup(func)]
            return [node for node in bound if isinstance(node, cst.FunctionDef)]
        if not isinstance(func, cst.Attribute):
            return []
        instance = instance_name(self._tree.enclosing(func), self._bindings)
        if instance is None or place_of(func, instance) is None:
            return []
        return self._modules.classes.variants(func)

    def possible(self, func: cst.BaseExpression) -> list[cst.FunctionDef]:
        """Every function or method of this file that an expression may call."""
        certain = self.called(func) or self._method_of(func)
        if certain is not None:
            return [certain]
        return [method for method in self.variants(func) if not _is_abstract(method)]

    def of_object(self, func: cst.BaseExpression) -> MethodOfObject | None:
        """What a call of a plain object or of its method runs, if that runs modules it has."""
        method = self._modules.objects.method(func)
        if method is None:
            return None
        helpers = self if method.home.file is None else method.home.file.helpers
        modules = helpers.held_modules(method.function)
        return MethodOfObject(method, helpers, modules) if modules else None

    def held_modules(self, function: cst.FunctionDef) -> tuple[HeldModule, ...]:
        """Modules that a helper finds in globals or on `self`, and so runs by itself.

        Those it runs without gradients too: the wrapper keeps the buffers of all it runs.
        """
        if function not in self._held and self._is_forward(function):
            self._held[function] = (HeldModule("", True),)
        if function not in self._held:
            self._held[function] = ()  # ends the recursion of functions that call each other
            self._held[function] = tuple(self._find_held(function))
        return self._held[function]

    def _find_held(self, function: cst.FunctionDef) -> list[HeldModule]:
        reader = EffectsReader(self._bindings, function)
        scope = self._bindings.scope(function)
        flow = GradientFlow(self._bindings, self._modules, reader, self)
        found: dict[HeldModule, None] = {}
        called = (call.func for call in self._calls(function))
        run = [func for func in called if self._modules.is_trainable(func)]
        for node in (*flow.module_uses(function.body), *run):
            module = self.called(node) is None or self._modules.is_trainable(node)
            place = place_of(node, reader.instance) if module else None
            if isinstance(node, cst.Subscript) or self._modules.is_of_object(node):
                found.update(dict.fromkeys(self._held_item(node, reader.instance, scope)))
                continue
            if place is None:
                continue
            if place == reader.instance:
                found[HeldModule("", True)] = None
            elif "." in place:
                found[HeldModule(place.split(".", 1)[1], True)] = None
            elif place not in scope.names and self._is_found_outside(node):
                found[HeldModule(place, False)] = None
        for call in self._calls(function):
            inner = self.called(call.func)
            if inner is not None and inner is not function:
                found.update(dict.fromkeys(self.held_modules(inner)))
            there = self.of_object(call.func) if inner is None else None
            if there is not None:
                held = there.held(self._tree, reader.instance)
                found.update(dict.fromkeys(each for each in held if each.root not in scope.names))
        return list(found)

    def _is_found_outside(self, node: cst.CSTNode) -> bool:
        """A module by a name that no comprehension of the helper gives it."""
        owner = self._bindings.resolve(node) if isinstance(node, cst.Name) else None
        inside = owner is not None and isinstance(owner.node, cst.BaseComp)
        return not inside and self._modules.evidence(node) is not None

    def _held_item(
        self, node: cst.CSTNode, instance: str | None, scope: Scope
    ) -> Iterator[HeldModule]:
        """`nets["g"]` or `runner.model`, of what the helper is not given."""
        root = root_place(node, instance)
        if root is None or root in scope.names:
            return
        if isinstance(node, cst.Subscript) and constant_index(node) is None:
            return
        code = self._tree.code(node)
        of_instance = "." in root
        yield HeldModule(code.split(".", 1)[1] if of_instance else code, of_instance, root)

    def check(self, function: cst.FunctionDef, name: str) -> None:
        """Refuse a helper that does more than compute a value.

        Raises:
            Refuse: it has effects, reads what changes between steps, or bakes values.
        """
        if self._is_forward(function):
            return
        if function not in self._verdicts:
            self._verdicts[function] = None  # ends the recursion of functions that call each other
            try:
                self._look_through(function, name)
            except Refuse as refusal:
                self._verdicts[function] = refusal
        verdict = self._verdicts[function]
        if verdict is not None:
            raise verdict

    def _look_through(
        self, function: cst.FunctionDef, name: str, within: cst.FunctionDef | None = None
    ) -> None:
        """Check a helper, which may read what `within` binds: a helper that it is defined in."""
        reader = EffectsReader(self._bindings, function)
        effects = reader.of(function.body)
        scope = self._bindings.scope(function)
        if scope.declared_global or scope.declared_nonlocal:
            raise Refuse("OW107", function, name=name, why="assigns a global")
        for place, readers in effects.reads.items():
            if place not in scope.names and not self._is_bound_in(within, readers[0]):
                self._check_outer(place, readers[0], name, reader.instance)
        outer = sorted(
            place
            for place in effects.changes
            if place not in scope.names and not self._is_module(place, effects.reads)
        )
        if outer:
            raise Refuse("OW107", function, name=name, why=f"changes `{outer[0]}`")
        inside = {
            place
            for place, bound in scope.names.items()
            if any(binding.kind in ("variable", "parameter") for binding in bound)
        } - {reader.instance}
        flow = GradientFlow(self._bindings, self._modules, reader, self)
        for baked in flow.baked(function.body, inside):
            known = (self._bindings, self._modules)
            if not (
                is_asked_of_arguments(baked, function, self._tree, *known)
                or casts_a_count(baked, function, self._calls_to(function), *known)
                or Reports(self._tree, self._bindings, [function.body]).holds(baked)
            ):
                code = f"{self._tree.brief(baked)}` in `{function.name.value}"
                raise Refuse("OW301", baked, code=code)
        question = first_question(function, self._bindings, self._modules.values)
        if question is not None:
            code = f"{self._tree.brief(question)}` in `{function.name.value}"
            raise Refuse("OW305", question, code=code, what="the step computes")
        layer = layer_with_drawn_weights(function.body, self._bindings)
        if layer is not None:
            raise Refuse("OW307", layer, code=self._tree.brief(layer))
        self._check_statements(function, name)
        self._check_calls(function)

    def _is_forward(self, function: cst.FunctionDef) -> bool:
        """`self.forward(x)` asks no more of a module than `self(x)` does."""
        home = self._tree.enclosing_class(function)
        return function.name.value == "forward" and home in self._modules.module_classes

    def _check_statements(self, function: cst.FunctionDef, name: str) -> None:
        """A call whose result is dropped is there for its effect, which would happen once."""
        stack: list[cst.CSTNode] = [function.body]
        while stack:
            node = stack.pop()
            if isinstance(node, cst.Expr) and isinstance(node.value, (cst.Call, cst.Await)):
                call = node.value
                func = call.func if isinstance(call, cst.Call) else None
                if not _fills_a_name(func):
                    code = self._tree.brief(node)
                    raise Refuse("OW107", node, name=name, why=f"does `{code}` on the way")
            if isinstance(node, (cst.Yield, cst.Await)):
                raise Refuse("OW107", node, name=name, why="lets other code run on the way")
            stack.extend(children(node))

    def _check_calls(self, function: cst.FunctionDef) -> None:
        for call in self._calls(function):
            qualified = self._bindings.qualified(call.func) or ""
            code = self._tree.brief(call)
            if qualified.startswith("torch.autograd.") and not _takes_none(call, qualified):
                raise Refuse("OW205", call, code=code)
            if self._takes_the_next(call):
                why = "takes the next item of an iterator"
                raise Refuse("OW107", call, name=function.name.value, why=why)
            known = is_constant(call, self._bindings) or counts_elements(call, self._bindings)
            if qualified.startswith(("numpy.", "random.")) and not known:
                raise Refuse("OW304", call, code=code)
            there = self.of_object(call.func)
            if there is not None:
                there.check(call, self._tree)
            inner = self.called(call.func)
            if inner is None or inner is function:
                continue
            if self._tree.enclosing(inner) is function:
                self._look_through(inner, self._tree.code(call.func), function)
            else:
                self.check(inner, self._tree.code(call.func))

    def _takes_the_next(self, call: cst.Call) -> bool:
        """Not `next(model.parameters())`, which begins anew each time."""
        named = isinstance(call.func, cst.Name) and call.func.value == "next"
        if not named or self._bindings.resolve(cst.ensure_type(call.func, cst.Name)) is not None:
            return False
        items = call.args[0].value if call.args else None
        func = items.func if isinstance(items, cst.Call) else None
        return not (isinstance(func, cst.Attribute) and func.attr.value in _BEGIN_ANEW)

    def _is_bound_in(self, function: cst.FunctionDef | None, node: cst.CSTNode) -> bool:
        owner = self._bindings.resolve(node) if isinstance(node, cst.Name) else None
        return function is not None and owner is not None and owner.node is function

    def _check_outer(self, place: str, node: cst.CSTNode, name: str, instance: str | None) -> None:
        """A global or an attribute that the helper reads must be the same at every step."""
        if self._modules.evidence(node) is not None or place == instance:
            return
        if isinstance(node, cst.BaseExpression) and self._modules.holds_modules(node):
            why = f"runs modules of `{place}`, which it is not given"
            raise Refuse("OW107", node, name=name, why=why)
        if "." in place:
            if self._changes_after_init(place, node):
                raise Refuse("OW107", node, name=name, why=f"reads `{place}`, which changes")
            return
        owner = self._bindings.resolve(node) if isinstance(node, cst.Name) else None
        if owner is None:
            return
        bound = owner.names[place]
        if self._bound_once_around(bound):
            return
        variables = [binding for binding in bound if binding.kind == "variable"]
        changing = bool(variables) and self._is_bound_between(bound)
        if changing or (not owner.is_module and bound[0].kind in ("variable", "parameter")):
            raise Refuse("OW107", node, name=name, why=f"reads `{place}`, which changes")

    def _bound_once_around(self, bound: list[Binding]) -> bool:
        """A parameter of the function around, or what that function binds once, in no loop."""
        home = self._tree.enclosing(bound[0].node)
        if len(bound) != 1 or not isinstance(home, cst.FunctionDef):
            return False
        if bound[0].kind == "parameter":
            return True
        unit = self._tree.unit_of(bound[0].node)
        straight = isinstance(unit.node, cst.BaseSmallStatement) and unit.block.owner is home
        return bound[0].kind == "variable" and straight

    def _is_bound_between(self, bound: list[Binding]) -> bool:
        """Something may give a global another value between two steps."""
        if self._meanwhile is not None:
            return any(self._meanwhile.runs(binding.node) for binding in bound)
        return len(bound) > 1 or not self._bound_once(bound[0].node)

    def _bound_once(self, target: cst.CSTNode) -> bool:
        """The binding is an assignment of the module itself, in no loop."""
        module = isinstance(self._tree.enclosing(target), cst.Module)
        small = isinstance(self._tree.unit_of(target).node, cst.BaseSmallStatement)
        return module and small and not self._tree.is_in_a_loop(target)

    def _changes_after_init(self, place: str, node: cst.CSTNode) -> bool:
        around = (item for item in self._tree.ancestors(node) if isinstance(item, cst.ClassDef))
        attribute = place.split(".", 1)[1]
        home = next(around, None)
        if self._meanwhile is not None:
            return self._meanwhile.changes(attribute, home)
        return changes_after_init(attribute, home, self._bindings, None)

    def _method_of(self, func: cst.BaseExpression) -> cst.FunctionDef | None:
        method = self._modules.objects.method(func)
        return None if method is None or method.home.file is not None else method.function

    def _is_module(self, place: str, reads: dict[str, list[cst.CSTNode]]) -> bool:
        return any(self._modules.evidence(node) is not None for node in reads.get(place, []))

    def _calls_to(self, function: cst.FunctionDef) -> list[cst.Call]:
        return [call for call in self._tree.calls if self.called(call.func) is function]

    def _calls(self, function: cst.FunctionDef) -> list[cst.Call]:
        return [call for call in self._tree.calls if self._tree.enclosing(call) is function]


def _fills_a_name(func: cst.CSTNode | None) -> bool:
    """`terms.append(x)`, `one_hot.scatter_(1, index, 1)`: what it changes is a name's value."""
    if not isinstance(func, cst.Attribute) or not isinstance(func.value, cst.Name):
        return False
    method = func.attr.value
    in_place = method.endswith("_") and not method.endswith("__")
    return method in _FILLS or (in_place and method not in _NOT_OF_VALUES)


def _takes_none(call: cst.Call, qualified: str) -> bool:
    """No gradient: `Variable(x)`, which scripts of old wrote for `x`, or a profiler's clock."""
    wraps = qualified == "torch.autograd.Variable" and len(call.args) == 1
    return wraps or qualified.startswith("torch.autograd.profiler.")


def _is_abstract(method: cst.FunctionDef) -> bool:
    """`raise NotImplementedError`, under a docstring at most."""
    rest: list[cst.CSTNode] = []
    for part in method.body.body:
        lines = part.body if isinstance(part, cst.SimpleStatementLine) else [part]
        rest += [line for line in lines if not isinstance(line, cst.Expr)]
    return len(rest) == 1 and isinstance(rest[0], (cst.Raise, cst.Pass))
