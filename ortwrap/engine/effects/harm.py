"""What a statement between model and loss may change, if the two trade places with it."""

from __future__ import annotations

import re
from dataclasses import replace

import libcst as cst

from ortwrap.engine.effects.aliases import Aliases
from ortwrap.engine.effects.bare_layers import only_computes
from ortwrap.engine.effects.control import where_control_goes
from ortwrap.engine.effects.crossing import Crossing
from ortwrap.engine.effects.harm_elsewhere import changed_arguments, names_called_in, why_harmful
from ortwrap.engine.effects.harmless import HARMLESS_METHODS, LOGS, is_pure_builtin
from ortwrap.engine.effects.in_place import works_in_place
from ortwrap.engine.effects.independence import Independence
from ortwrap.engine.effects.library_calls import (
    drawing,
    draws,
    measures,
    unknown,
    why_call_matters,
)
from ortwrap.engine.effects.randomness import BESIDE_TORCH, Randomness
from ortwrap.engine.effects.statement import (
    EffectsReader,
    instance_name,
    overlap,
    place_of,
    root_place,
)
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.objects import Objects
from ortwrap.engine.evidence.tensor_types import tensor_type
from ortwrap.engine.evidence.unwrapping import is_fact
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.containers import makes_container
from ortwrap.engine.names.elsewhere import OtherFile, defined_elsewhere
from ortwrap.engine.names.inherited_methods import certain_method
from ortwrap.engine.text.nodes import children, descendants

_OPTIMIZER = re.compile(r"(?:^|\.)(?:\w*optim\w*|opt_?\w{0,2})$")
_DRAWS_IN_PLACE = "normal_ uniform_ random_ bernoulli_ exponential_ cauchy_ log_normal_ geometric_"
_DRAWS = frozenset(
    f"{_DRAWS_IN_PLACE} sample rsample shuffle choice rand randn randint permutation".split()
)
# What they change is told by the effects of the statement.
_IN_PLACE_METHODS = frozenset(
    "copy_ fill_ zero_ add_ sub_ mul_ div_ clamp_ masked_fill_ scatter_ resize_ resize_as_ "
    f"{_DRAWS_IN_PLACE}".split()
)
_MODE_METHODS = frozenset(["train", "eval", "requires_grad_", "load_state_dict"])


class HarmCheck:
    """Looks for reasons why the order of a statement and the slice could matter."""

    def __init__(
        self,
        bindings: Bindings,
        modules: ModuleTable,
        objects: Objects,
        independence: Independence,
    ) -> None:
        self._tree = bindings.tree
        self._bindings = bindings
        self._modules = modules
        self._objects = objects
        self._independence = independence
        self._open: set[cst.FunctionDef] = set()
        self._others: dict[str, HarmCheck] = {}

    def of(self, node: cst.CSTNode, reader: EffectsReader, crossing: Crossing) -> str | None:
        """Why running a statement before or after could make a difference; None if it cannot."""
        stack: list[cst.CSTNode] = [node]
        while stack:
            current = stack.pop()
            if isinstance(current, (cst.FunctionDef, cst.Lambda)):
                # A definition runs nothing.
                continue
            gone = where_control_goes(current, node, self._tree)
            if gone is not None:
                return gone
            if isinstance(current, cst.Call):
                why = self._of_call(current, reader, crossing)
                if why is not None:
                    return why
            stack.extend(children(current))
        return None

    def _of_call(self, call: cst.Call, reader: EffectsReader, crossing: Crossing) -> str | None:
        func = call.func
        name = self._tree.code(func)
        builtin = isinstance(func, cst.Name) and self._bindings.resolve(func) is None
        if builtin and is_pure_builtin(cst.ensure_type(func, cst.Name).value):
            return None
        if is_fact(self._tree.parents[call], self._bindings, self._modules):
            return None
        if any(self._is_given_away(argument.value) for argument in call.args):
            return f"`{name}` is given a module or an optimizer"
        qualified = self._bindings.qualified(func)
        qualified = qualified or tensor_type(self._modules.values(func), self._bindings)
        if qualified is not None:
            why = why_call_matters(qualified, name, crossing)
            if why is None:
                return self._of_arguments_elsewhere(call, reader, crossing)
            return self._of_elsewhere(func, name, crossing) if why == unknown(name) else why
        defined = self._bindings.definition(func)
        if isinstance(defined, cst.FunctionDef):
            return self._of_function(defined, name, crossing)
        if any(isinstance(v, cst.Call) and works_in_place(v) for v in self._modules.values(func)):
            return "it changes its arguments"
        if self._modules.is_criterion(func):
            return self._of_criterion(func, reader, crossing)
        if only_computes(func, self._bindings):
            return None
        if self._modules.is_trainable(func):
            return self._of_run(func, reader, crossing)
        if isinstance(func, cst.Attribute):
            return self._of_method(call, func, reader, crossing)
        if isinstance(func, cst.Name) and measures(func.value) and not crossing.runs_module:
            return None
        return self._of_callable(call, reader, crossing)

    def _of_run(
        self, module: cst.BaseExpression, reader: EffectsReader, crossing: Crossing
    ) -> str | None:
        if not (crossing.runs_module or crossing.draws):
            return None
        beside = crossing.beside
        if beside and self._independence.holds(module, beside, reader):
            return None
        return "it runs a module, whose random numbers and buffers follow the order"

    def _of_module_method(
        self, func: cst.Attribute, reader: EffectsReader, crossing: Crossing
    ) -> str | None:
        """`net.forward(x)`, `policy.sample(x)`: they run the module, and what else they do."""
        name, method = self._tree.code(func), func.attr.value
        if method in ("zero_grad", "parameters", "named_parameters"):
            return None
        written = self._written_for(func)
        if method != "forward" and not written:
            return f"`{name}` is called on a module"
        beside_it = replace(crossing, runs_module=False)
        found = (self._of_function(each, name, beside_it) for each in written)
        return self._of_run(func.value, reader, crossing) or next(filter(None, found), None)

    def _written_for(self, func: cst.Attribute) -> list[cst.FunctionDef]:
        """The method, in the classes of this file that make the module; none if another may."""
        classes, values = self._modules.classes, self._modules.all_values(func.value) or ()
        homes = filter(None, map(classes.made_by, values))
        found = (classes.inherited(home, func.attr.value) for home in homes)
        methods = [method for method in found if method is not None]
        return methods if len(methods) == len(values) else []

    def _of_elsewhere(self, func: cst.BaseExpression, name: str, crossing: Crossing) -> str | None:
        """A function of another file, where all of its own names may be something else's too."""
        found = defined_elsewhere(func, self._bindings)
        if found is None or not isinstance(found.node, cst.FunctionDef):
            return unknown(name)

        def look(file: OtherFile, function: cst.FunctionDef, names: frozenset[str]) -> str | None:
            there = crossing.elsewhere(names)
            return self._in_file(file)._of_function(function, name, there)

        why = why_harmful(found.node, found.file, look)
        return why and f"{why} ({found.file.place(found.node)})"

    def _of_inherited(
        self, call: cst.Call, reader: EffectsReader, crossing: Crossing
    ) -> str | None:
        """`self.update_meter(...)` of a base class in another file, of the same instance."""
        name, home = self._tree.code(call.func), self._modules.classes.home(call)
        method = None if home is None else certain_method(call.func, name, home, self._bindings)
        if method is None:
            return unknown(name)

        def look(file: OtherFile, function: cst.FunctionDef, names: frozenset[str]) -> str | None:
            theirs = instance_name(function, file.bindings)
            there = crossing.elsewhere_on(names, reader.instance, theirs)
            return self._in_file(file)._of_function(function, name, there, instance=theirs)

        why = why_harmful(method.function, method.file, look)
        return why and f"{why} ({method.file.place(method.function)})"

    def _of_arguments_elsewhere(
        self, call: cst.Call, reader: EffectsReader, crossing: Crossing
    ) -> str | None:
        """What is called like a measure may all the same change what it measures."""
        found = defined_elsewhere(call.func, self._bindings)
        if found is None:
            return None
        for argument in changed_arguments(call, found):
            if root_place(argument, reader.instance) in crossing.reads:
                name, place = self._tree.code(call.func), found.file.place(found.node)
                return f"`{name}` changes `{self._tree.code(argument)}` ({place})"
        called = names_called_in(found)
        beside = [name for name in called if name.startswith(BESIDE_TORCH)]
        if beside and crossing.draws_beside_torch:
            return drawing(crossing.draws_beside_torch)
        if crossing.draws and any(draws(name) for name in called if name not in beside):
            return drawing(crossing.draws)
        return None

    def _in_file(self, file: OtherFile) -> HarmCheck:
        """The same check over another file: one each, so that calls in a circle come to an end."""
        if file.path not in self._others:
            tree, bindings, modules = file.tree, file.bindings, file.modules
            randomness = Randomness(tree, bindings, modules)
            independence = Independence(tree, bindings, modules, randomness)
            objects = Objects(tree, bindings, modules)
            check = HarmCheck(bindings, modules, objects, independence)
            check._others = self._others
            self._others[file.path] = check
        return self._others[file.path]

    def _of_method(
        self, call: cst.Call, func: cst.Attribute, reader: EffectsReader, crossing: Crossing
    ) -> str | None:
        name, method = self._tree.code(func), func.attr.value
        classes = self._modules.classes
        if classes.only_reports(func, reader.instance) or classes.only_asserts(func):
            return None
        if self._modules.is_trainable(func.value):
            return self._of_module_method(func, reader, crossing)
        if method in _MODE_METHODS:
            return f"`{name}` changes modes"
        if method in _DRAWS and crossing.draws:
            return drawing(crossing.draws)
        root = root_place(func.value, reader.instance)
        logs = LOGS.match(method) is not None
        known = method in HARMLESS_METHODS or method in _IN_PLACE_METHODS or logs
        if method == "update" and (not call.args or crossing.runs_module):
            known = False
        if root is not None and root == reader.instance:
            direct = place_of(func, reader.instance) is not None
            own = self._modules.classes.called_on_instance(func) if direct else None
            if own is None and direct:
                why = self._of_callable(call, reader, crossing)
                return self._of_inherited(call, reader, crossing) if why == unknown(name) else why
            if own is None:
                return unknown(name)
            return self._of_function(own, name, crossing, instance=reader.instance)
        touches = root is not None and bool(overlap({root}, set(crossing.reads)))
        changed = self._objects.changes(func) if touches else None
        if changed is not None:
            return f"`{name}` changes `{changed}` of its object"
        if known:
            return None
        if not crossing.runs_module:
            touches = touches or self._is_given_container(call, reader, crossing)
            return unknown(name) if touches else None
        return self._of_object(call, func, reader, crossing)

    def _is_given_container(
        self, call: cst.Call, reader: EffectsReader, crossing: Crossing
    ) -> bool:
        """`callback.after_loss(output, losses)`: a list or dict of terms, which may get more."""
        return any(
            root_place(argument.value, reader.instance) in crossing.reads
            and any(
                makes_container(value, self._bindings)
                for value in self._modules.values(argument.value)
            )
            for argument in call.args
        )

    def _of_criterion(
        self, func: cst.BaseExpression, reader: EffectsReader, crossing: Crossing
    ) -> str | None:
        """A criterion that counts its calls gives another loss after one more."""
        place = place_of(func, reader.instance)
        changed = self._objects.changed_by_a_call(func) if place in crossing.reads else None
        if changed is None:
            return None
        return f"`{self._tree.code(func)}` changes its `{changed}`"

    def _of_object(
        self, call: cst.Call, func: cst.Attribute, reader: EffectsReader, crossing: Crossing
    ) -> str | None:
        """`buffer.push_and_pop(fake)`: a method of an object that knows of no module."""
        name = self._tree.code(func)
        given = {place for place in reader.of(call).reads if place in crossing.reads}
        if given or not self._objects.is_apart(func.value):
            return unknown(name)
        for method, _ in self._objects.methods(func):
            for inner in descendants(method.body):
                drawn = isinstance(inner, cst.Call) and self._bindings.qualified(inner.func)
                if drawn and drawn.startswith("torch.") and draws(drawn):
                    return drawing(crossing.draws)
        return None

    def _of_callable(self, call: cst.Call, reader: EffectsReader, crossing: Crossing) -> str | None:
        """`beta = anneal()`: an object that counts its calls, which nothing else has to do with."""
        func, name = call.func, self._tree.code(call.func)
        made = list(self._objects.made(func))
        known = {place for each in (call, *made) for place in reader.of(each).reads}
        apart = self._objects.is_apart(func) and self._objects.is_only_called(func)
        run = [list(self._objects.run_by_a_call(each)) for each in made]
        if (known - {reader.instance}) & crossing.reads or not apart or not all(run):
            return unknown(name)
        methods = (method for each in run for method in each)
        why = (self._of_function(method, name, crossing, owns=True) for method in methods)
        return next(filter(None, why), None)

    def _of_function(
        self,
        function: cst.FunctionDef,
        name: str,
        crossing: Crossing,
        *,
        owns: bool = False,
        instance: str | None = None,
    ) -> str | None:
        """A function of this file is harmless if its body is and changes only its own values.

        Args:
            function: what is called.
            name: what it is called by.
            crossing: what would run on the other side of the call.
            owns: it may set attributes of its instance, which nothing else looks at.
            instance: what the caller calls the instance that it is a method of, if it is one of
                the same: it may change what the other side does not read of it.
        """
        if function in self._open:
            return None
        self._open.add(function)
        reader = EffectsReader(self._bindings, function)
        scope = self._bindings.scope(function)
        effects = reader.of(function.body)
        given = {
            place
            for place, bound in scope.names.items()
            if any(binding.kind == "parameter" for binding in bound)
        }
        changed = effects.mutates & Aliases(reader, function).closure(given)
        outer = {place for place in effects.changes if place not in scope.names}
        own = {place for place in changed | outer if place.startswith(f"{reader.instance}.")}
        if owns:
            outer -= own
        elif instance is not None:
            unread = {place for place in own if not crossing.reads_of(instance, place)}
            changed, outer = changed - unread, outer - unread
        outer |= scope.declared_global | scope.declared_nonlocal
        why = self._of_body(function, reader, crossing)
        self._open.discard(function)
        if changed or outer:
            return f"`{name}` changes `{sorted(changed | outer)[0]}`"
        return f"in `{name}` {why}" if why is not None else None

    def _of_body(
        self, function: cst.FunctionDef, reader: EffectsReader, crossing: Crossing
    ) -> str | None:
        for node in function.body.body:
            stack: list[cst.CSTNode] = [node]
            while stack:
                current = stack.pop()
                if isinstance(current, cst.Call):
                    why = self._of_call(current, reader, crossing)
                    if why is not None:
                        return why
                stack.extend(children(current))
        return None

    def _is_given_away(self, argument: cst.BaseExpression) -> bool:
        """The callee gets hold of a module or an optimizer, and may change it."""
        if self._modules.is_trainable(argument):
            return True
        return _OPTIMIZER.search(self._tree.code(argument)) is not None
