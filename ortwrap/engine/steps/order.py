"""Where the one call goes that stands for model and loss, and whether the order allows it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.changed_by_calls import ChangesByCalls
from ortwrap.engine.effects.clocks import reads_clock
from ortwrap.engine.effects.crossing import Crossing
from ortwrap.engine.effects.given_attributes import places_read
from ortwrap.engine.effects.harm import HarmCheck
from ortwrap.engine.effects.independence import Independence
from ortwrap.engine.effects.raising import Raising
from ortwrap.engine.effects.randomness import Randomness
from ortwrap.engine.effects.state_elsewhere import StateElsewhere
from ortwrap.engine.effects.statement import overlap
from ortwrap.engine.effects.switches import Switches
from ortwrap.engine.evidence.kinds import MODULE_METHODS
from ortwrap.engine.evidence.unwrapping import is_fact
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.earlier import EarlierValue, earlier_values
from ortwrap.engine.steps.hindrances import Hindrance, refusal_for
from ortwrap.engine.steps.slices import LossSlice, Slicer
from ortwrap.engine.text.tree import Unit


@dataclass(frozen=True, eq=False)
class Order:
    """How the statements around the call are arranged.

    Attributes:
        anchor: the piece of the slice in whose place the call stands, or a statement between that
            it stands in front of.
        between: statements from the slice's first to its end that are not part of it.
        after: those of `between` that run once the call has run.
        earlier: what these read of the slice's values that it changes again later.
    """

    anchor: Unit
    between: tuple[Unit, ...]
    after: tuple[Unit, ...]
    earlier: tuple[EarlierValue, ...] = ()


class Orderer:
    """Decides the place of the call in one function, or refuses."""

    def __init__(self, analyses: Analyses, slicer: Slicer) -> None:
        """
        Args:
            analyses: of that function.
            slicer: of its losses.
        """
        tree, bindings, modules = analyses.tree, analyses.bindings, analyses.modules
        objects, helpers = analyses.objects, analyses.helpers
        self._tree = tree
        self._modules = modules
        self._reader = analyses.reader
        self._slicer = slicer
        self._aliases = analyses.aliases
        self._uses = analyses.uses
        self._filled = helpers.filled.names
        self._traces = helpers.traces
        self._callees = helpers.callees
        self._by_calls = ChangesByCalls(analyses.reader, helpers.callees, modules, objects)
        self._randomness = Randomness(tree, bindings, modules)
        self._beside_torch = Randomness(tree, bindings, modules, beside_torch=True)
        self._independence = Independence(tree, bindings, modules, self._randomness)
        self._harm = HarmCheck(bindings, modules, objects, self._independence)
        self._raising = Raising(tree, bindings)
        self._state = StateElsewhere(bindings, modules)
        self._switches = Switches(bindings, modules)

    def order(self, found: LossSlice, *, past_modules: bool = False) -> Order:
        """Where the call can stand so that every value stays what it was.

        The loss moves up to the model call rather than the call down to the loss; only where
        something between prepares what the loss reads, or changes it, the call moves down: to
        right behind it, where other statements read what the model returned.

        Args:
            found: the slice.
            past_modules: a piece may also move past the run of a module that has nothing to do
                with its own.

        Raises:
            Refuse: a statement in between may change the result, or reads an earlier value.
        """
        pieces = list(found.pieces)
        prepared = tuple(unit for unit in found.preparation if self._prepares(unit, found))
        found = replace(found, preparation=prepared)
        first, last = pieces[0].index, pieces[-1].index
        chosen = set(pieces)
        between = tuple(u for u in found.block.units[first:last] if u not in chosen)
        earlier: dict[Unit, tuple[EarlierValue, ...]] = {}
        for unit in between:
            self._check_hooks(unit, pieces)
            earlier[unit] = tuple(earlier_values(unit, pieces, self._reader, self._callees))
        behind = self._behind_preparation(between, found)
        anchors = dict.fromkeys((self._highest(pieces, between, found), *behind, pieces[-1]))
        tried: list[list[Hindrance]] = []
        for anchor in anchors:
            after = tuple(unit for unit in between if unit.index >= anchor.index)
            hindrances: list[Hindrance] = []
            for unit in between:
                renamed = {value.place for value in earlier[unit]}
                why = self._why_not(unit, pieces, anchor, found, past_modules, renamed)
                if why is not None:
                    hindrances.append(Hindrance(unit, why))
            if not hindrances:
                values = tuple(value for unit in after for value in earlier[unit])
                return Order(anchor, between, after, values)
            tried.append(hindrances)
        raise refusal_for(min(tried, key=len), self._tree)

    def _prepares(self, unit: Unit, found: LossSlice) -> bool:
        """The slice reads what a statement changes, or another that prepares something does.

        What else changes an attribute of the instance prepares nothing for what it was given.
        """
        others = [other for other in found.preparation if other is not unit]
        reads = set().union(
            *(self._reads(piece) for piece in found.pieces),
            *(self._reader.of(other.node).reads for other in others),
        )
        whole = any(self._reader.of(piece.node).reads_everything for piece in found.pieces)
        return whole or bool(overlap(self._reader.of(unit.node).changes, reads))

    def _behind_preparation(self, between: tuple[Unit, ...], found: LossSlice) -> list[Unit]:
        """The statement of others before which all is known that the slice reads."""
        prepared = [unit.index for unit in found.preparation if unit in between]
        return [unit for unit in between if prepared and unit.index == max(prepared) + 1]

    def _highest(self, pieces: list[Unit], between: tuple[Unit, ...], found: LossSlice) -> Unit:
        """The first place at which all is known that the slice reads."""
        prepared = [unit.index for unit in found.preparation if unit in between]
        start = max(prepared, default=-1)
        later = [unit for unit in pieces if unit.index > start]
        anchor = later[0] if later else pieces[-1]
        for unit in later[1:]:
            if unit.index != anchor.index + 1:
                break
            anchor = unit
        return anchor

    def _why_not(
        self,
        unit: Unit,
        pieces: list[Unit],
        anchor: Unit,
        found: LossSlice,
        past_modules: bool,
        renamed: set[str],
    ) -> str | None:
        """Why the order of `unit` and the pieces that would pass it may matter.

        Values that it reads by a name of their own, once pieces pass it upwards, are `renamed`.
        """
        down = [piece for piece in pieces if piece.index < unit.index < anchor.index]
        up = [piece for piece in pieces if anchor.index <= unit.index < piece.index]
        if up:
            # What runs in a function runs where that is called.
            up += [
                p for p in pieces if p.index < unit.index and isinstance(p.node, cst.FunctionDef)
            ]
        if not down and not up:
            return None
        beside = tuple(piece.node for piece in down or up) if past_modules else ()
        return self._conflict(unit, down, up, found, beside, set() if down else renamed)

    def _conflict(
        self,
        unit: Unit,
        down: list[Unit],
        up: list[Unit],
        found: LossSlice,
        beside: tuple[cst.CSTNode, ...],
        renamed: set[str],
    ) -> str | None:
        if up and unit in found.preparation:
            return "the loss reads what it computes"
        crossing = down or up
        changed = self._changes(crossing)
        unsaid = set().union(*(self._by_calls.of(piece.node) for piece in crossing)) - changed
        computed = changed | unsaid
        reads = set().union(*(self._reads(piece) for piece in crossing))
        return (
            self._misses_the_run(unit, down)
            or self._changes_what_passes(unit, reads | computed)
            or self._reads_what_passes(unit, computed, unsaid, renamed)
            or self._meets_out_of_sight(unit, crossing)
            or self._may_leave(unit, computed, bool(down))
            or self._disturbs_the_run(unit, crossing, reads, beside)
        )

    def _misses_the_run(self, unit: Unit, down: list[Unit]) -> str | None:
        """It takes the time behind the model, which would run behind it."""
        if reads_clock(unit.node) and any(self._uses_module(piece, ()) for piece in down):
            return "the time that it takes would be without the model's"
        return None

    def _changes_what_passes(self, unit: Unit, passing: set[str]) -> str | None:
        """It changes places of the pieces that pass it, by whatever name."""
        effects = self._reader.of(unit.node)
        used = self._uses.changes(unit.node, self._reader.instance)
        changed = {name for name in effects.writes if self._is_ever_read(name, unit)}
        changed |= self._aliases.closure(effects.alters) | self._aliases.closure(used)
        changed |= self._aliases.same(effects.mutates - effects.alters)
        own = effects.changes | used
        met = sorted(overlap(changed, passing), key=lambda name: (name not in own, name))
        return f"it changes `{met[0]}`" if met else None

    def _reads_what_passes(
        self, unit: Unit, computed: set[str], unsaid: set[str], renamed: set[str]
    ) -> str | None:
        """It reads what the pieces compute, or change by a call: that is `unsaid`."""
        reads = set(self._reader.of(unit.node).reads)
        for name in sorted(overlap(computed - renamed, reads - renamed)):
            return f"it reads `{name}`" + (", which a call there changes" if name in unsaid else "")
        return None

    def _meets_out_of_sight(self, unit: Unit, crossing: list[Unit]) -> str | None:
        """What it changes is read by what the pieces run, or an iterator of theirs moves on."""
        effects = self._reader.of(unit.node)
        crossed = [piece.node for piece in crossing]
        for name in sorted(effects.changes):
            if self._traces.is_read_by(crossed, name, unit.node):
                return f"it changes `{name}`, which is read on the way to the loss"
        why = self._state.conflict(unit.node, crossed)
        if why is not None:
            return why
        taken = set().union(*(self._reader.of(node).takes for node in crossed))
        for name in sorted(overlap(taken, set(effects.reads))):
            return f"it may take items of `{name}`"
        return None

    def _may_leave(self, unit: Unit, computed: set[str], down: bool) -> str | None:
        """It may raise where something catches that: the pieces had or had not run by then."""
        handlers = self._raising.ends_in(unit.node)
        caught = set().union(*(self._reader.of(handler).reads for handler in handlers))
        for name in sorted(overlap(computed, caught)):
            return f"it may raise, and what catches that reads `{name}`"
        if (down and handlers) or self._raising.goes_on(unit.node):
            wrong = "model would not have run" if down else "loss would have been computed"
            return f"it may raise, and the {wrong} before"
        return None

    def _disturbs_the_run(
        self, unit: Unit, crossing: list[Unit], reads: set[str], beside: tuple[cst.CSTNode, ...]
    ) -> str | None:
        """It reads what the model's run leaves behind, or changes what that depends on."""
        runs_module = any(self._uses_module(piece, ()) for piece in crossing)
        filled = set(self._reader.of(unit.node).reads) & self._filled
        for name in sorted(filled) if runs_module else ():
            return f"the model's run may fill `{name}`"
        changed_by_run = self._traces.read_in(unit.node, self._reader) if runs_module else None
        if changed_by_run is not None:
            return f"the model's run may change `{changed_by_run}`"
        if self._only_switches(unit, crossing):
            return None
        crossed = Crossing(
            frozenset(reads),
            frozenset(self._aliases.closure(reads)),
            runs_module,
            self._draws(crossing, self._randomness),
            self._draws(crossing, self._beside_torch),
            beside,
        )
        why = self._harm.of(unit.node, self._reader, crossed)
        if why is None and runs_module and self._uses_module(unit, beside):
            why = "it uses a module that has to run first"
        if why is None and self._slicer.is_barrier(unit):
            why = "it runs backward or updates parameters"
        return why

    def _only_switches(self, unit: Unit, crossing: list[Unit]) -> bool:
        """It says which parameters get gradients, of modules that what passes it does not run."""
        switched = self._switches.modules(unit.node, self._reader)
        pieces = [piece.node for piece in crossing]
        return bool(switched) and all(
            self._independence.is_apart(module, pieces, self._reader) for module in switched
        )

    def _check_hooks(self, unit: Unit, pieces: list[Unit]) -> None:
        """Inner values of an exported graph have no gradient and no hooks."""
        value = unit.node.value if isinstance(unit.node, (cst.Expr, cst.Assign)) else None
        func = value.func if isinstance(value, cst.Call) else None
        if isinstance(func, cst.Attribute) and func.attr.value in ("retain_grad", "register_hook"):
            name = self._tree.code(func.value)
            if name in self._changes(pieces):
                raise Refuse("OW302", unit.node, code=self._tree.brief(unit.node), name=name)

    def _uses_module(self, unit: Unit, beside: tuple[cst.CSTNode, ...]) -> bool:
        """A trainable module is read for anything but clearing its gradients or logging.

        Running one that has nothing to do with those `beside` is no matter.
        """
        for readers in self._reader.of(unit.node).reads.values():
            for node in readers:
                parent = self._tree.parents.get(node)
                if isinstance(parent, cst.Subscript) and parent.value is node:
                    node = parent
                node = self._modules.run_by(node)
                parent = self._tree.parents.get(node)
                clears = isinstance(parent, cst.Attribute) and parent.attr.value == "zero_grad"
                clears = clears or self._reports(parent)
                if not self._modules.is_trainable(node) or clears or self._asks_for_fact(node):
                    continue
                runs = self._is_run(node)
                if not (beside and runs and self._independence.holds(node, beside, self._reader)):
                    return True
        return False

    def _is_run(self, module: cst.CSTNode) -> bool:
        """`net(x)`, `policy.sample(x)`."""
        func, call = module, self._tree.parents[module]
        if isinstance(call, cst.Attribute) and call.attr.value not in MODULE_METHODS:
            func, call = call, self._tree.parents[call]
        return isinstance(call, cst.Call) and call.func is func

    def _asks_for_fact(self, module: cst.CSTNode) -> bool:
        """`vae.config`, `unwrap_model(unet).dtype`, `isinstance(net, Net)`: no run changes it."""
        node = self._tree.parents[module]
        if isinstance(node, cst.Arg):
            call = self._tree.parents[node]
            if isinstance(call, cst.Call) and self._tree.code(call.func) == "isinstance":
                return call.args[0] is node
            node = self._tree.parents[call]
        return is_fact(node, self._reader.bindings, self._modules)

    def _reports(self, node: cst.CSTNode | None) -> bool:
        classes, instance = self._modules.classes, self._reader.instance
        return node is not None and classes.only_reports(node, instance)

    def _draws(self, pieces: list[Unit], randomness: Randomness) -> str:
        """The call that may draw random numbers, so that another draw has to stay on its side."""
        drawing = (randomness.first_draw_in(piece.node) for piece in pieces)
        found = next(filter(None, drawing), None)
        return "" if found is None else self._tree.code(found)[:40]

    def _is_ever_read(self, name: str, unit: Unit) -> bool:
        """`_` and other names that take what nobody wants may change at any time."""
        function = self._tree.enclosing(unit.node)
        body = function if isinstance(function, cst.Module) else function.body
        scope = self._reader.bindings.scope(function)
        return name not in scope.names or name in self._reader.of(body).reads

    def only_binds_unread(self, unit: Unit) -> bool:
        """`wrong = ~right`, where nothing reads `wrong`."""
        effects = self._reader.of(unit.node)
        unread = not any(self._is_ever_read(name, unit) for name in effects.writes)
        return bool(effects.writes) and not effects.mutates and unread

    def _reads(self, unit: Unit) -> set[str]:
        return places_read(unit.node, self._reader)

    def _changes(self, units: list[Unit]) -> set[str]:
        changes = (self._reader.of(unit.node).changes for unit in units)
        used = (self._uses.changes(unit.node, self._reader.instance) for unit in units)
        return set().union(*changes, *used)
