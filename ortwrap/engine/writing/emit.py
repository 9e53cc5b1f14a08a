"""Plans in, patched text out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from ortwrap.engine.effects.gradients import GradientFlow
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.guarded_imports import is_import_at_head
from ortwrap.engine.names.helpers import Helpers
from ortwrap.engine.names.taken import TakenNames
from ortwrap.engine.options import Options
from ortwrap.engine.plan import Plan
from ortwrap.engine.result import Change
from ortwrap.engine.text.edits import (
    Edit,
    apply_edits,
    because,
    indentation,
    insert_before,
    insert_classes,
    insert_import,
    part_from_heading,
    remove_units,
    replace_expression,
    replace_unit,
)
from ortwrap.engine.text.style import (
    call_over_lines,
    docstring_quotes,
    longest_line,
    values_over_lines,
)
from ortwrap.engine.text.tree import SourceTree, Unit
from ortwrap.engine.text.words import as_variable
from ortwrap.engine.writing.class_names import ClassNames
from ortwrap.engine.writing.explanations import (
    OF_BASE,
    OF_IMPORT,
    OF_LOSS,
    OF_RENAME,
    explained,
    listed,
    of_call,
    of_class,
    of_move,
    of_unbound,
    of_wrapper,
)
from ortwrap.engine.writing.forward import ForwardBuilder
from ortwrap.engine.writing.letting_go import Wrapper, let_go
from ortwrap.engine.writing.site import find_site, find_start
from ortwrap.engine.writing.standalone import made_by_hand, render_helper
from ortwrap.engine.writing.wrapper_class import WrapperClass

_ORT_MODULE = "ortwrap.runtime.ort_module"


@dataclass(frozen=True)
class Emitted:
    """The patched text, the class that each plan's step calls, and what was changed why."""

    text: str
    class_names: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass
class _Names:
    """Classes and variables named so far, so that equal steps share and others differ."""

    classes: dict[tuple[object, ...], str] = field(default_factory=dict)
    variables: dict[tuple[cst.CSTNode, str, tuple[str, ...]], str] = field(default_factory=dict)
    wrapped: set[tuple[Unit, str]] = field(default_factory=set)


class Emitter:
    """Turns the plans of one script into edits of its text."""

    def __init__(
        self,
        tree: SourceTree,
        bindings: Bindings,
        modules: ModuleTable,
        helpers: Helpers,
        taken: TakenNames,
        options: Options,
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._helpers = helpers
        self._options = options
        self._names = _Names()
        self._taken = taken
        self._line_length = options.line_length or longest_line(tree)
        self._edits: list[Edit] = []
        self._classes: dict[Unit, list[str]] = {}
        self._wrappers: list[Wrapper] = []
        self._why: dict[str, str] = {}
        self._steps_of: dict[tuple[object, ...], list[str]] = {}
        self._class_names = ClassNames((), tree, modules)
        bound = bindings.module.names.get("ort_module", [])
        self._is_imported = [b.target for b in bound] == [_ORT_MODULE]
        self._imported_as = "ort_module"
        by_hand = made_by_hand(tree, bindings) if options.standalone else None
        if by_hand is not None:
            self._is_imported, self._imported_as = True, by_hand.name.value
        if self._taken.is_hidden(self._imported_as):
            self._is_imported = False
        while self._imported_as in self._taken.anywhere and not self._is_imported:
            self._imported_as += "_"

    def emit(self, plans: list[Plan], emptied: Sequence[int] = ()) -> Emitted:
        """Patch the script, and take out lines that are `emptied`."""
        wrappers = [self._wrapper(plan) for plan in plans]
        for plan, wrapper in zip(plans, wrappers):
            origin = self._tree.qualified_function(plan.sinks[0].call)
            place = f"`{origin}`" if origin else "the training step"
            self._steps_of.setdefault(wrapper.shape(), []).append(place)
        several = len(self._steps_of) > 1
        self._class_names = ClassNames(plans, self._tree, self._modules)
        names: list[str] = []
        first: Unit | None = None
        for plan, wrapper in zip(plans, wrappers):
            units = plan.found.block.units
            top = self._top_level(units[min(plan.order.anchor.index, len(units) - 1)])
            first = top if first is None or top.index < first.index else first
            names.append(self._class(plan, wrapper, top, several))
            self._step(plan, names[-1])
        self._edits += let_go(plans, self._wrappers, self._tree)
        if first is not None and self._options.standalone and not self._is_imported:
            self._stand_in(first)
        for edit in insert_classes(self._tree, self._classes):
            holds = [name for name in self._why if f"class {name}(" in edit.text]
            self._edits += because("\n".join(self._why[name] for name in holds), edit)
        if first is not None:
            self._imports(first)
        starts = self._tree.line_start
        self._edits += [Edit(starts(line), starts(line + 1), "") for line in emptied]
        text = apply_edits(self._tree.text, self._edits)
        return Emitted(text, tuple(names), explained(self._tree, self._edits))

    def _stand_in(self, first: Unit) -> None:
        """A function for what `ort_module` does, in front of the first class."""
        code, statement = render_helper(
            self._tree, self._bindings, self._imported_as, docstring_quotes(self._tree)
        )
        self._classes = {first: [code, *self._classes.pop(first, [])], **self._classes}
        if statement is not None:
            self._edits += because(OF_IMPORT, insert_import(self._tree, statement, first))

    # -- the class -------------------------------------------------------------------------------

    def _wrapper(self, plan: Plan) -> WrapperClass:
        reader = EffectsReader(self._bindings, self._tree.enclosing(plan.sinks[0].call))
        flow = GradientFlow(self._bindings, self._modules, reader, self._helpers)
        room = self._line_length - 2 * len(self._tree.indent.expandtabs())
        builder = ForwardBuilder(self._tree, self._bindings, self._modules, flow, reader, room)
        return builder.build(plan)

    def _class(self, plan: Plan, wrapper: WrapperClass, top: Unit, several: bool) -> str:
        key = wrapper.shape()
        if key in self._names.classes:
            return self._names.classes[key]
        name = self._class_name(plan, several)
        self._names.classes[key] = name
        origin = listed(self._steps_of[key])
        code = wrapper.render(
            name=name,
            base=self._module_base(top),
            shadows_super="super" in self._bindings.module.names,
            origin=origin,
            indent=self._tree.indent,
            quotes=docstring_quotes(self._tree),
            line_length=self._line_length,
            options=self._options,
        )
        self._classes.setdefault(top, []).append(code)
        self._why[name] = of_class(name, origin, plan)
        return name

    def _class_name(self, plan: Plan, several: bool) -> str:
        taken = self._taken.anywhere.union(self._names.classes.values())
        wanted = [self._options.class_name]
        if several or wanted[0] in taken:
            wanted = self._class_names.of(plan)
        count = 2
        while True:
            for name in wanted:
                if name not in taken:
                    return name
            wanted = [f"{wanted[-1].rstrip('0123456789')}{count}"]
            count += 1

    def _module_base(self, top: Unit) -> str:
        """How the class names `nn.Module` at its place in the module."""
        for target, rest in (("torch.nn", "Module"), ("torch", "nn.Module")):
            for name in self._bindings.module.names:
                if self._imported_above(name, target, top):
                    return f"{name}.{rest}"
        return f"{self._name_of_nn()}.Module"

    def _name_of_nn(self) -> str:
        """What `torch.nn` is imported as where the script does not: `nn`, if that is free."""
        bound = self._bindings.module.names.get("nn", [])
        other = any(binding.target != "torch.nn" for binding in bound)
        # From `from model import *`, for all that one can see here.
        unknown = "nn" in self._taken.nowhere_bound
        if not (other or unknown):
            return "nn"
        name = "torch_nn"
        while name in self._taken.anywhere:
            name += "_"
        return name

    def _imported_above(self, name: str, target: str, top: Unit) -> bool:
        bound = self._bindings.module.names.get(name, [])
        if not bound or any(b.kind != "import" or b.target != target for b in bound):
            return False
        units = [self._tree.unit_of(binding.node) for binding in bound]
        return any(
            is_import_at_head(unit, self._tree) and self._top_level(unit).index < top.index
            for unit in units
        )

    def _imports(self, first: Unit) -> None:
        if self._imported_as != "ort_module":
            statement = f"from ortwrap.runtime import ort_module as {self._imported_as}"
        else:
            statement = "from ortwrap.runtime import ort_module"
        if not self._is_imported and not self._options.standalone:
            self._edits += because(OF_IMPORT, insert_import(self._tree, statement, first))
        name = self._name_of_nn()
        if self._module_base(first) == f"{name}.Module" and not self._imported_above(
            name, "torch.nn", first
        ):
            statement = "from torch import nn" + ("" if name == "nn" else f" as {name}")
            self._edits += because(OF_BASE, insert_import(self._tree, statement, first))

    def _top_level(self, unit: Unit) -> Unit:
        """The statement of the module that holds a unit."""
        top = unit
        for ancestor in self._tree.ancestors(unit.node):
            if ancestor in self._tree.units:
                top = self._tree.units[ancestor]
        return top

    # -- the step --------------------------------------------------------------------------------

    def _step(self, plan: Plan, class_name: str) -> None:
        tree, found = self._tree, plan.found
        variable = self._make_wrapper(plan, class_name)
        anchor = plan.order.anchor
        arguments = [
            f"**{item.expression}" if item.star else item.expression
            for item in plan.captures.inputs
        ]
        host = found.block.units[min(anchor.index, len(found.block.units) - 1)]
        indent = indentation(tree.line_text(tree.line(host.node)))
        targets = [plan.loss_target, *(output.place for output in plan.captures.outputs)]
        bare = found.inline and not found.units and not plan.captures.outputs
        if bare:
            call = self._call("", variable, arguments, "")
            for core in self._cores(plan):
                edit = replace_expression(tree, core, call)
                self._edits += because(of_call(plan, tree), edit)
        else:
            room = self._line_length - len(indent.expandtabs()) - len(f"{variable}(")
            target = values_over_lines("", targets, " = ", tree.indent, room)
            call = self._call(target, variable, arguments, indent)
            self._place_call(plan, host, call + self._set_attributes(plan, indent))
        gone = [unit for unit in found.units if unit is not anchor]
        gone += [made.unit for made in plan.constructed]
        gone.sort(key=lambda unit: tree.line(unit.node))
        removed = remove_units(tree, gone, set(plan.moved_comments(tree)))
        for unit, edit in zip(gone, removed):
            self._edits += because(of_move(unit, tree), edit)
        for node, text in plan.captures.renames.items():
            span = tree.span(node)
            self._edits += because(OF_RENAME, Edit(span.start, span.end, text))

    def _set_attributes(self, plan: Plan, indent: str) -> str:
        """`if option: self.term = term`, for what only that option binds."""
        options: dict[str, list[str]] = {}
        for output in plan.captures.outputs:
            if output.option:
                line = f"{output.attribute} = {output.place}"
                options.setdefault(output.option, []).append(line)
        inner = indent + self._tree.indent
        text = "".join(
            f"\n{indent}if {option}:" + "".join(f"\n{inner}{line}" for line in lines)
            for option, lines in options.items()
        )
        return self._tree.with_newlines(text)

    def _place_call(self, plan: Plan, host: Unit, call: str) -> None:
        tree, found = self._tree, plan.found
        if plan.order.anchor in found.units:
            edit = replace_unit(tree, plan.order.anchor, call, plan.moved_comments(tree))
        else:
            edit = insert_before(tree, host, [call])
        self._edits += because(of_call(plan, tree), edit)
        if found.inline:
            for core in self._cores(plan):
                edit = replace_expression(tree, core, plan.loss_target)
                self._edits += because(OF_LOSS, edit)

    def _cores(self, plan: Plan) -> Iterator[cst.BaseExpression]:
        """The lifted part of each sink's loss expression."""
        text = self._tree.bare(plan.found.loss)
        yield plan.found.loss
        if plan.sinks[0].call not in self._tree.ancestors(plan.found.loss):
            # A condition around the sinks binds it, once for all of them.
            return
        for sink in plan.sinks[1:]:
            node = sink.loss
            while self._tree.bare(node) != text and isinstance(node, cst.BinaryOperation):
                node = node.left
            assert self._tree.bare(node) == text, "the sinks of a step share its loss"
            yield node

    def _make_wrapper(self, plan: Plan, class_name: str) -> str:
        """Insert the line that makes the wrapper, unless an equal one stands there."""
        tree = self._tree
        around = tree.enclosing(plan.found.block.units[0].node)
        reader = EffectsReader(self._bindings, around)
        site = find_site(plan, tree, self._bindings, reader).before
        function = tree.enclosing(site.node)
        places = tuple(part.argument for part in plan.captures.parts)
        key = (function, class_name, places)
        variable = self._names.variables.get(key)
        if variable is None:
            variable = self._variable_name(plan, (function, around), class_name)
            self._names.variables[key] = variable
        self._start_as_none(plan, reader)
        self._wrappers.append(Wrapper(variable, site, plan.captures.releases))
        if (site, variable) not in self._names.wrapped:
            self._names.wrapped.add((site, variable))
            indent = indentation(tree.line_text(tree.line(site.node)))
            line = self._call(f"{variable} = ", self._imported_as, [class_name, *places], indent)
            why = of_wrapper(variable, places)
            inserted = insert_before(tree, site, [line])
            self._edits += because(why, inserted, *part_from_heading(tree, site))
        return variable

    def _start_as_none(self, plan: Plan, reader: EffectsReader) -> None:
        """Give what only some paths bind a value that the call can always pass."""
        names = plan.captures.unbound
        if names:
            start = find_start(plan, self._tree, reader)
            line = f"{' = '.join(names)} = None"
            self._edits += because(of_unbound(names), insert_before(self._tree, start, [line]))

    def _variable_name(self, plan: Plan, functions: Sequence[cst.CSTNode], class_name: str) -> str:
        here = {name for key, name in self._names.variables.items() if key[0] in functions}
        taken = here.union(*map(self._taken.in_function, functions))
        name = base = self._class_names.variable(plan, class_name)
        if name in taken:
            name = base = as_variable(class_name)
        count = 2
        while name in taken:
            name = f"{base}_{count}"
            count += 1
        return name

    def _call(self, target: str, callee: str, arguments: list[str], indent: str) -> str:
        room = self._line_length - len(indent.expandtabs())
        text = call_over_lines(f"{target}{callee}", arguments, self._tree.indent, room)
        return self._tree.with_newlines(text.replace("\n", f"\n{indent}"))
