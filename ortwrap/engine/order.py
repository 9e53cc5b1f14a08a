"""Where the one call goes that stands for model and loss, and whether the order allows it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.bindings import Bindings
from ortwrap.engine.effects import EffectsReader, overlap, root_place
from ortwrap.engine.gradients import GradientFlow
from ortwrap.engine.modules import ModuleTable
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.slices import LossSlice, Slicer
from ortwrap.engine.tree import SourceTree, Unit

_PURE_PACKAGES = (
    "torch.", "math.", "time.", "numpy.", "logging.", "datetime.", "sklearn.", "torchmetrics.",
    "os.path.", "collections.", "itertools.", "functools.",
)  # fmt: skip
_RANDOM = re.compile(
    r"^(?:torch|numpy\.random|random)\.(?:rand\w*|normal|bernoulli|multinomial|manual_seed|seed"
    r"|choice|shuffle|uniform|permutation|dropout\w*|poisson|sample|beta)$"
    r"|distributions|functional\.dropout|functional\.gumbel"
)
_PURE_BUILTINS = frozenset(
    "print len float int str bool sum max min abs round isinstance tuple list dict set zip "
    "range enumerate sorted any all getattr hasattr type format repr map divmod".split()
)
_MEASURES = re.compile(r"acc|metric|iou|score|dice|topk|psnr|ssim|log|print|time|meter|perplex")
_OPTIMIZER = re.compile(r"(?:^|\.)(?:\w*optim\w*|opt_?\w{0,2})$")
_SWITCH = re.compile(r"torch\.(?:set_|use_|backends|cuda\.set_|autograd\.set_|_C)")
_DRAWS = frozenset(
    "normal_ uniform_ random_ bernoulli_ exponential_ cauchy_ log_normal_ geometric_ sample "
    "rsample shuffle choice rand randn randint permutation".split()
)
_LOGS = re.compile(r"log|print|write|add_scalar|set_post|set_desc|info|debug|warn|time")
_HARMLESS_METHODS = frozenset(
    "zero_grad item append extend update add size view reshape flatten squeeze unsqueeze mean sum "
    "max min argmax argmin eq ne gt lt ge le numel dim to cuda cpu float long int half double bool "
    "detach clone numpy tolist keys values items get copy format join split strip type_as t "
    "transpose permute contiguous expand softmax sigmoid abs pow sqrt exp norm topk sort start "
    "stop tic toc record reset synchronize parameters named_parameters repeat masked_select gather "
    "index_select scatter ceil floor round clamp any all cumsum unbind chunk narrow type data_ptr "
    "elapsed perf_counter perf_counter_ns astype".split()
)
_MODE_METHODS = frozenset(["train", "eval", "requires_grad_", "load_state_dict"])


@dataclass(frozen=True, eq=False)
class Order:
    """How the statements around the call are arranged.

    Attributes:
        anchor: the piece of the slice in whose place the call stands.
        between: statements from the slice's first to its end that are not part of it.
        after: those of `between` that run once the call has run.
    """

    anchor: Unit
    between: tuple[Unit, ...]
    after: tuple[Unit, ...]


class Orderer:
    """Decides the place of the call, or refuses."""

    def __init__(
        self,
        tree: SourceTree,
        bindings: Bindings,
        modules: ModuleTable,
        reader: EffectsReader,
        flow: GradientFlow,
        slicer: Slicer,
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._reader = reader
        self._flow = flow
        self._slicer = slicer
        self._aliases: dict[str, str] = {}

    def order(self, found: LossSlice) -> Order:
        """Where the call can stand so that every value stays what it was.

        Raises:
            Refuse: a statement in between may change the result, or reads an earlier value.
        """
        units = list(found.pieces)
        first, last = units[0].index, units[-1].index
        chosen = set(units)
        between = tuple(u for u in found.block.units[first:last] if u not in chosen)
        anchor = self._anchor(units, between, found)
        touched = self._changes(units).union(*(self._reads(unit) for unit in units))
        self._aliases = self._find_aliases(between, touched)
        for unit in between:
            self._check(unit, units, anchor, found)
        after = tuple(u for u in between if u.index > anchor.index)
        return Order(anchor, between, after)

    def _find_aliases(self, between: tuple[Unit, ...], touched: set[str]) -> dict[str, str]:
        """Names that statements between give to what the slice reads or computes, or to views."""
        aliases: dict[str, str] = {}
        for unit in between:
            if not isinstance(unit.node, cst.Assign):
                continue
            root = root_place(unit.node.value, self._reader.instance)
            root = aliases.get(root, root) if root is not None else None
            if root is not None and root in touched:
                aliases.update(dict.fromkeys(self._reader.of(unit.node).writes, root))
        return aliases

    def _anchor(self, units: list[Unit], between: tuple[Unit, ...], found: LossSlice) -> Unit:
        """The first place at which all is known that the slice reads.

        The loss moves up to the model call rather than the call down to the loss, as far as no
        statement between prepares what the loss reads.
        """
        prepared = [unit.index for unit in found.preparation if unit in between]
        start = max(prepared, default=-1)
        later = [unit for unit in units if unit.index > start]
        anchor = later[0] if later else units[-1]
        for unit in later[1:]:
            if unit.index != anchor.index + 1:
                break
            anchor = unit
        return anchor

    def _check(self, unit: Unit, units: list[Unit], anchor: Unit, found: LossSlice) -> None:
        effects = self._reader.of(unit.node)
        moved_down = [u for u in units if u.index < unit.index < anchor.index]
        moved_up = [u for u in units if anchor.index < unit.index < u.index]
        self._check_versions(unit, units)
        crossing = moved_down or moved_up
        if not crossing:
            return
        code = self._tree.code(unit.node)[:60]
        changes = {self._aliases.get(place, place) for place in effects.changes}
        if moved_up and unit in found.preparation:
            raise Refuse("OW203", unit.node, code=code, why="the loss reads what it computes")
        reads = set().union(*(self._reads(u) for u in crossing))
        changed = overlap(changes, reads | self._changes(crossing))
        if changed:
            name = sorted(changed)[0]
            raise Refuse("OW203", unit.node, code=code, why=f"it changes `{name}`")
        touched = overlap(self._changes(crossing), set(effects.reads)) if moved_down else set()
        if touched:
            name = sorted(touched)[0]
            raise Refuse("OW203", unit.node, code=code, why=f"it reads `{name}`")
        runs_module = any(self._flow.module_uses(u.node) for u in crossing)
        why = self._harm(unit.node, reads, runs_module)
        if why is None and runs_module and self._uses_module(unit):
            why = "it uses a module that has to run first"
        if why is None and self._slicer.is_barrier(unit):
            why = "it updates parameters"
        if why is not None:
            raise Refuse("OW203", unit.node, code=code, why=why)

    def _check_versions(self, unit: Unit, units: list[Unit]) -> None:
        """Whoever reads a value between must find the one it found before."""
        reads = set(self._reader.of(unit.node).reads)
        earlier = self._changes([u for u in units if u.index < unit.index])
        later = self._changes([u for u in units if u.index > unit.index])
        stale = overlap(reads, earlier) & overlap(reads, later)
        if stale:
            code = self._tree.code(unit.node)[:60]
            raise Refuse("OW204", unit.node, code=code, name=sorted(stale)[0])

    def _uses_module(self, unit: Unit) -> bool:
        """A trainable module is read for anything but clearing its gradients."""
        for readers in self._reader.of(unit.node).reads.values():
            for node in readers:
                parent = self._tree.parents.get(node)
                clears = isinstance(parent, cst.Attribute) and parent.attr.value == "zero_grad"
                if self._modules.is_trainable(node) and not clears:
                    return True
        return False

    def _harm(self, node: cst.CSTNode, reads: set[str], runs_module: bool) -> str | None:
        """Why running a statement before or after the model could make a difference."""
        stack: list[cst.CSTNode] = [node]
        while stack:
            current = stack.pop()
            if isinstance(current, (cst.Return, cst.Break, cst.Continue, cst.Raise)):
                return "it leaves the block"
            if isinstance(current, (cst.Await, cst.Yield)):
                return "other code runs there"
            if isinstance(current, cst.Call):
                why = self._call_harm(current, reads, runs_module)
                if why is not None:
                    return why
            stack.extend(current.children)
        return None

    def _call_harm(self, call: cst.Call, reads: set[str], runs_module: bool) -> str | None:
        func = call.func
        name = self._tree.code(func)
        qualified = self._bindings.qualified(func)
        builtin = isinstance(func, cst.Name) and self._bindings.resolve(func) is None
        if not builtin and any(self._is_given_away(argument.value) for argument in call.args):
            return f"`{name}` is given a module or an optimizer"
        if qualified is not None:
            if _SWITCH.match(qualified):
                return "it changes a setting"
            if _RANDOM.search(qualified) or qualified.startswith(("numpy.random", "random.")):
                return "it draws random numbers"
            if qualified.endswith("_") or qualified.startswith("torch.nn.init"):
                return "it changes its arguments"
            if f"{qualified}.".startswith(_PURE_PACKAGES) or _MEASURES.search(qualified.lower()):
                return None
            return f"nothing is known about `{name}`"
        defined = self._bindings.definition(func)
        if isinstance(defined, cst.FunctionDef):
            return self._function_harm(defined, name)
        if isinstance(func, cst.Name):
            if self._bindings.resolve(func) is None and func.value in _PURE_BUILTINS:
                return None
            if self._modules.is_trainable(func):
                return "it runs a module, whose random numbers and buffers follow the order"
            if self._modules.is_criterion(func) or _MEASURES.search(func.value.lower()):
                return None
            return f"nothing is known about `{name}`"
        if isinstance(func, cst.Attribute):
            if func.attr.value == "update" and not call.args and runs_module:
                return f"nothing is known about `{name}`"
            return self._method_harm(func, name, reads, runs_module)
        return f"nothing is known about `{name}`"

    def _is_given_away(self, argument: cst.BaseExpression) -> bool:
        """The callee gets hold of a module or an optimizer, and may change it."""
        if self._modules.is_trainable(argument):
            return True
        return _OPTIMIZER.search(self._tree.code(argument)) is not None

    def _method_harm(
        self, func: cst.Attribute, name: str, reads: set[str], runs_module: bool
    ) -> str | None:
        owner = func.value
        if self._modules.is_trainable(func):
            return "it runs a module, whose random numbers and buffers follow the order"
        if self._modules.is_trainable(owner):
            harmless = func.attr.value in ("zero_grad", "parameters", "named_parameters")
            return None if harmless else f"`{name}` is called on a module"
        if func.attr.value in _MODE_METHODS:
            return f"`{name}` changes modes"
        root = root_place(owner, self._reader.instance)
        if func.attr.value in _DRAWS:
            return "it draws random numbers"
        in_place = func.attr.value.endswith("_") and not func.attr.value.endswith("__")
        if in_place and root is not None and root in reads:
            return f"it changes `{root}`"
        known = func.attr.value in _HARMLESS_METHODS or _LOGS.search(func.attr.value)
        if root is not None and root == self._reader.instance:
            return f"nothing is known about `{name}`"
        return None if known or not runs_module else f"nothing is known about `{name}`"

    def _function_harm(self, function: cst.FunctionDef, name: str) -> str | None:
        scope = self._bindings.scope(function)
        body = EffectsReader(self._bindings, function).of(function.body)
        changed = sorted(
            place
            for place in body.mutates
            if (bound := scope.names.get(place)) and bound[0].kind == "parameter"
        )
        if changed:
            return f"`{name}` changes its `{changed[0]}`"
        if scope.declared_global:
            return f"`{name}` changes globals"
        for readers in body.reads.values():
            for reader in readers:
                if self._modules.is_trainable(reader) and self._modules.key(reader) is not None:
                    owner = self._bindings.resolve(reader) if isinstance(reader, cst.Name) else None
                    if owner is None or owner.node is not function:
                        return f"`{name}` uses a module"
        return None

    def _reads(self, unit: Unit) -> set[str]:
        return set(self._reader.of(unit.node).reads)

    def _changes(self, units: list[Unit]) -> set[str]:
        return set().union(*(self._reader.of(unit.node).changes for unit in units))
