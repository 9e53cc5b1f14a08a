"""What forward takes, holds and returns: captured inputs, parts, carried outputs."""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass, field

import libcst as cst

from ortwrap.engine.bindings import Bindings
from ortwrap.engine.effects import EffectsReader, place_of, root_place
from ortwrap.engine.gradients import GradientFlow
from ortwrap.engine.helpers import Helpers
from ortwrap.engine.liveness import Liveness, surely_binds, surely_bound
from ortwrap.engine.modules import ModuleTable
from ortwrap.engine.nodes import children
from ortwrap.engine.order import Order
from ortwrap.engine.outputs import OutputFinder
from ortwrap.engine.plan import CapturedInput, Captures, Part
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.slices import LossSlice
from ortwrap.engine.tree import SourceTree, Unit

# Methods of inputs that are evaluated before the call: they move data, or give Python values.
_OUTSIDE_METHODS = frozenset(
    "to cuda cpu size item tolist numpy detach numel dim nelement get keys values items".split()
)
_OUTSIDE_ATTRIBUTES = frozenset("shape device dtype data ndim".split())
_OUTSIDE_BUILTINS = frozenset(["len", "float", "int"])
_TENSOR_ATTRIBUTES = frozenset("T mT real imag grad".split())
_FACTORIES = re.compile(
    r"^torch\.(?:tensor|zeros|ones|full|arange|eye|empty|linspace|zeros_like|ones_like|full_like"
    r"|rand|randn|randint|rand_like|randn_like|FloatTensor|LongTensor|Tensor|from_numpy|as_tensor)$"
)
_OPTIONS = re.compile(r"^(?:\w*args|opts?|cfg|\w*config|conf|hparams|params|hps?|flags|options)$")
_RANDOM_NAMES = re.compile(r"^rand")
_RANDOM_FACTORIES = re.compile(r"^torch\.rand")
_RANDOM_MODULES = re.compile(r"^(?:numpy\.)?random\.")
_DRAWS = re.compile(r"^torch\.(?:rand|normal|bernoulli|multinomial)|dropout|distributions")
_TAKEN_BY_MODULE = frozenset(
    "forward compute_loss training train eval modules parameters buffers children apply to "
    "type float half double cuda cpu register_buffer state_dict zero_grad add_module".split()
)


@dataclass
class _Found:
    parts: dict[str, Part] = field(default_factory=dict)
    inputs: dict[str, CapturedInput] = field(default_factory=dict)
    replacements: dict[cst.CSTNode, cst.BaseExpression] = field(default_factory=dict)
    ran_module: bool = False


class CaptureFinder:
    """Walks the pieces of a slice in order and decides what stands for each expression."""

    def __init__(
        self,
        tree: SourceTree,
        bindings: Bindings,
        modules: ModuleTable,
        reader: EffectsReader,
        flow: GradientFlow,
        helpers: Helpers,
        liveness: Liveness,
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._reader = reader
        self._flow = flow
        self._liveness = liveness
        self._helpers = helpers
        self._outputs = OutputFinder(tree, modules, bindings, reader, flow, liveness)

    def find(self, found: LossSlice, order: Order) -> Captures:
        """Inputs, parts and outputs of a slice.

        Raises:
            Refuse: something that the slice uses cannot be passed into or out of forward.
        """
        walk = _Walk(self, found)
        for piece in found.pieces:
            walk.piece(piece)
        walk.pass_starred_whole()
        self._check_bound(found, order, walk)
        outputs, renames = self._outputs.find(found, order, walk.input_places)
        local = {
            place: place.split(".")[-1] for piece in found.pieces for place in self._writes(piece)
        }
        parts = sorted(walk.found.parts.values(), key=lambda part: not part.trainable)
        return Captures(
            parts=tuple(parts),
            inputs=tuple(walk.found.inputs.values()),
            outputs=tuple(outputs),
            replacements={**walk.found.replacements, **walk.store_replacements(local)},
            renames=renames,
            deletions=self._outputs.deletions(found, outputs),
        )

    def _check_bound(self, found: LossSlice, order: Order, walk: _Walk) -> None:
        """What only a branch of the slice reads must be bound on every path to the call."""
        if not walk.conditional:
            return
        host = found.block.units[min(order.anchor.index, len(found.block.units) - 1)]
        bound = surely_bound(host, self._tree, self._reader)
        for place, node in walk.conditional.items():
            if place in bound:
                continue
            if "." in place:
                if not self._always_set(place, node):
                    raise Refuse("OW106", node, name=place)
                continue
            name = node if isinstance(node, cst.Name) else None
            owner = self._bindings.resolve(name) if name is not None else None
            function = self._tree.enclosing(host.node)
            if owner is not None and owner.node is function:
                raise Refuse("OW106", node, name=place)

    def _always_set(self, place: str, node: cst.CSTNode) -> bool:
        """The class or every path of its constructor gives the instance this attribute."""
        home = next((a for a in self._tree.ancestors(node) if isinstance(a, cst.ClassDef)), None)
        attribute = place.split(".", 1)[1]
        if home is None or attribute in self._bindings.scope(home).names:
            return True
        for function in self._tree.functions:
            mine = self._tree.enclosing_class(function) is home
            if mine and function.name.value == "__init__":
                reader = EffectsReader(self._bindings, function)
                wanted = f"{reader.instance}.{attribute}"
                body = self._tree.blocks(function)[0]
                return any(wanted in surely_binds(u, self._tree, reader) for u in body.units)
        return False

    def _writes(self, piece: Unit) -> set[str]:
        return self._reader.of(piece.node).changes


class _Walk:
    """The state of one walk over a slice."""

    def __init__(self, finder: CaptureFinder, found: LossSlice) -> None:
        self._finder = finder
        self._tree = finder._tree
        self._bindings = finder._bindings
        self._modules = finder._modules
        self._reader = finder._reader
        self.found = _Found()
        self.defined: set[str] = set()
        self.input_places: set[str] = set()
        self.conditional: dict[str, cst.CSTNode] = {}
        self._slice = found
        self._free: set[cst.CSTNode] = set()
        self._conditional_depth = 0
        self._taken = {
            name.split(".")[-1]
            for piece in found.pieces
            for name in (*self._reader.of(piece.node).reads, *self._reader.of(piece.node).writes)
        }
        self._reserved = {"self", "super"} | self._global_reads()
        self._expressions: dict[str, str] = {}
        self._whole: set[str] = set()
        self._starred: dict[str, cst.BaseExpression] = {}

    def piece(self, piece: Unit) -> None:
        node = piece.node
        self._check_statement(node)
        baked = self._finder._flow.baked(node, self.defined)
        if baked is not None and not self._only_of_inputs(baked):
            raise Refuse("OW301", baked, code=self._tree.code(baked)[:60])
        effects = self._reader.of(node)
        self._free = {reader for readers in effects.reads.values() for reader in readers}
        if isinstance(node, cst.BaseCompoundStatement):
            self._compound(piece)
        else:
            self._expression(node)
        if not isinstance(node, cst.BaseExpression):
            self.defined |= effects.changes

    def store_replacements(self, local: dict[str, str]) -> dict[cst.CSTNode, cst.BaseExpression]:
        """Attributes of the instance that the slice binds are plain locals inside of forward."""
        instance = self._reader.instance
        if instance is None:
            return {}
        replaced: dict[cst.CSTNode, cst.BaseExpression] = {}
        for piece in self._slice.pieces:
            stack: list[cst.CSTNode] = [piece.node]
            while stack:
                node = stack.pop()
                place = place_of(node, instance)
                if place is not None and "." in place and place in local:
                    if node not in self.found.replacements:
                        replaced[node] = cst.Name(local[place])
                    continue
                stack.extend(children(node))
        return replaced

    def pass_starred_whole(self) -> None:
        """Beside other inputs a mapping is passed as it is, since its keys might be their names."""
        for place, node in self._starred.items():
            if len(self.found.inputs) > 1:
                name = self.found.inputs[place].name
                self.found.inputs[place] = CapturedInput(name, self._tree.source(node))
                self.found.replacements[node] = cst.Name(name)

    # -- statements ------------------------------------------------------------------------------

    def _check_statement(self, node: cst.CSTNode) -> None:
        stack = [node]
        while stack:
            current = stack.pop()
            if isinstance(
                current,
                (
                    cst.Return, cst.Break, cst.Continue, cst.Yield, cst.Await, cst.Del,
                    cst.FunctionDef, cst.ClassDef, cst.Import, cst.ImportFrom, cst.Try, cst.While,
                    cst.Global, cst.Nonlocal,
                ),
            ):  # fmt: skip
                raise Refuse("OW105", current, code=self._tree.code(current)[:60])
            if isinstance(current, cst.Call):
                name = self._bindings.qualified(current.func) or ""
                if name in ("torch.autograd.grad", "torch.autograd.functional.jacobian"):
                    raise Refuse("OW205", current, code=self._tree.code(current)[:60])
                if name.startswith(("numpy.", "random.")) and not self._over_inputs(current):
                    raise Refuse("OW304", current, code=self._tree.code(current)[:60])
                method = current.func.attr.value if isinstance(current.func, cst.Attribute) else ""
                if method in ("sample", "rsample", "multinomial"):
                    raise Refuse("OW306", current, code=self._tree.code(current)[:60])
                if isinstance(current.func, cst.Attribute) and current.func.attr.value in (
                    "register_hook",
                    "retain_grad",
                ):
                    owner = self._tree.code(current.func.value)
                    raise Refuse("OW302", current, code=self._tree.code(current)[:60], name=owner)
            if isinstance(current, cst.Expr) and not self._builds_a_value(current.value):
                raise Refuse("OW105", current, code=self._tree.code(current)[:60])
            if isinstance(current, (cst.Assign, cst.AnnAssign, cst.AugAssign)):
                self._check_targets(current)
            self._check_branch(current, node)
            stack.extend(children(current))

    def _check_branch(self, node: cst.CSTNode, piece: cst.CSTNode) -> None:
        """A branch on what the model computed would be taken the same way for good."""
        if isinstance(node, (cst.If, cst.IfExp, cst.Assert)):
            tests = [node.test]
        elif isinstance(node, cst.CompFor):
            tests = [item.test for item in node.ifs]
        elif isinstance(node, cst.BooleanOperation):
            tests = [node.left]
        else:
            return
        computed = self.defined | self._reader.of(piece).writes
        for test in tests:
            if _reads_values(test, computed, self._reader.instance):
                raise Refuse("OW305", test, code=self._tree.code(test)[:60])

    def _builds_a_value(self, value: cst.BaseExpression) -> bool:
        """An expression statement that only adds to a container which the slice itself makes."""
        if isinstance(value, (cst.SimpleString, cst.ConcatenatedString, cst.Ellipsis)):
            return True
        if not (isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute)):
            return False
        name = value.func.attr.value
        root = root_place(value.func.value, self._reader.instance)
        made_here = root is not None and root in self._made_here()
        return made_here and (
            name in ("append", "extend", "update", "insert", "add") or name.endswith("_")
        )

    def _check_targets(self, node: cst.Assign | cst.AnnAssign | cst.AugAssign) -> None:
        targets = (
            [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target]
        )
        for target in targets:
            if isinstance(target, (cst.Subscript, cst.Attribute)):
                if place_of(target, self._reader.instance) is not None:
                    continue
                root = root_place(target, self._reader.instance)
                if root is None or root not in self._made_here():
                    raise Refuse("OW105", node, code=self._tree.code(node)[:60])

    def _made_here(self) -> set[str]:
        return set().union(*(self._reader.of(piece.node).writes for piece in self._slice.pieces))

    def _compound(self, piece: Unit) -> None:
        effects = self._reader.of(piece.node)
        exposed = self._finder._liveness.exposed(piece)
        own = effects.writes - self.defined
        # What a branch may or may not rebind keeps its name, whichever value it has.
        for place in sorted(own & exposed):
            readers = effects.reads.get(place)
            if readers:
                self._capture_place(place, readers[0])
                self.conditional.setdefault(place, readers[0])
        self.defined |= own
        self._expression(piece.node)

    # -- expressions -----------------------------------------------------------------------------

    def _expression(self, node: cst.CSTNode) -> None:
        if isinstance(node, (cst.AssignTarget, cst.Annotation)):
            if isinstance(node, cst.AssignTarget) and isinstance(node.target, cst.Subscript):
                self._expression(node.target)
            return
        if isinstance(node, cst.Arg):
            self._argument(node)
            return
        if isinstance(node, cst.BaseExpression) and self._replace(node):
            return
        if isinstance(node, cst.Call):
            self._call(node)
            return
        if isinstance(node, cst.Attribute):
            self._expression(node.value)
            return
        certain = _evaluated_first(node)
        if certain is None:
            for child in children(node):
                self._expression(child)
            return
        for child in certain:
            self._expression(child)
        self._conditional_depth += 1
        for child in children(node):
            if child not in certain:
                self._expression(child)
        self._conditional_depth -= 1

    def _argument(self, node: cst.Arg) -> None:
        place = place_of(node.value, self._reader.instance)
        if node.star == "**" and place is not None and self._is_captured(node.value, place):
            reads = sum(
                len(self._reader.of(piece.node).reads.get(place, []))
                for piece in self._slice.pieces
            )
            if reads == 1 and not self.found.inputs:
                # `model(**batch)` alone reads best as `forward(self, **batch)`.
                self.input_places.add(place)
                name = place.split(".")[-1]
                self.found.inputs[place] = CapturedInput(name, self._tree.source(node.value), True)
                self._starred[place] = node.value
                return
        self._expression(node.value)

    def _call(self, node: cst.Call) -> None:
        func = node.func
        place = place_of(func, self._reader.instance)
        if place is not None and place not in self.defined:
            self._callee(func, place)
        elif isinstance(func, cst.Attribute):
            self._method_call(func)
        else:
            self._expression(func)
        for argument in node.args:
            self._expression(argument)
        draws = _DRAWS.search(self._bindings.qualified(func) or "") is not None
        if draws or self._flow_uses(func):
            self.found.ran_module = True

    def _flow_uses(self, func: cst.CSTNode) -> bool:
        return bool(self._finder._flow.module_uses(func))

    def _callee(self, func: cst.BaseExpression, place: str) -> None:
        helpers = self._finder._helpers
        helper = helpers.called(func)
        if self._modules.evidence(func) is None and helpers.holds_module(func):
            why = "is an object that runs a module which it was given"
            raise Refuse("OW107", func, name=place, why=why)
        if not self._is_global(func):
            self._part(func, place)
        if helper is None:
            return
        helpers.check(helper, place)
        for held in helpers.held_modules(helper):
            self._hold(held.place(self._reader.instance), func)

    def _hold(self, place: str, func: cst.BaseExpression) -> None:
        """A module that a helper runs is held by the wrapper, so that its parameters train."""
        if place in self.found.parts:
            return
        if "." not in place:
            owner = self._bindings.scope_of(func).owner(place)
            if owner is None or not owner.is_module:
                raise Refuse("OW107", func, name=self._tree.code(func), why=f"runs `{place}`")
        self.found.parts[place] = Part(self._part_name(place), place, True)

    def _method_call(self, func: cst.Attribute) -> None:
        """`criterion.forward(x)` needs the object itself, `target.mul(x)` its value."""
        owner = func.value
        place = place_of(owner, self._reader.instance)
        held = place is not None and place not in self.defined and not self._is_global(owner)
        if place is not None and held and self._modules.evidence(owner) is not None:
            self._part(owner, place)
            return
        self._expression(owner)

    def _replace(self, node: cst.BaseExpression) -> bool:
        """Put a part or an input in the place of an expression; False to look inside of it."""
        place = place_of(node, self._reader.instance)
        if place is not None:
            if node in self._free and place not in self.defined and not self._is_global(node):
                if self._modules.evidence(node) is not None:
                    self._part(node, place)
                else:
                    self._capture_place(place, node)
                    if self._conditional_depth:
                        self.conditional.setdefault(place, node)
            return True
        if self._is_outside(node):
            self._capture_expression(node)
            return True
        return False

    def _is_captured(self, node: cst.CSTNode, place: str) -> bool:
        return node in self._free and place not in self.defined and not self._is_global(node)

    # -- what can be evaluated before the call ---------------------------------------------------

    def _is_outside(self, node: cst.BaseExpression) -> bool:
        """An expression over inputs that is better evaluated before the call."""
        if self._finder._flow.is_data_of_module(node):
            fresh = self._finder._flow.is_static_data(node) or not self.found.ran_module
            return fresh and not (set(self._reader.of(node).reads) & self.defined)
        if self._is_random_constant(node):
            return not self.found.ran_module and not self._conditional_depth
        if not self._over_inputs(node) or (self._conditional_depth and not self._is_option(node)):
            return False
        if self._may_be_filled(node):
            return False
        if isinstance(node, cst.Subscript):
            return self._is_access(node) or self._picks_a_batch(node)
        if isinstance(node, cst.Attribute):
            return node.attr.value not in _TENSOR_ATTRIBUTES
        if isinstance(node, cst.Call):
            func = node.func
            if isinstance(func, cst.Attribute) and func.attr.value in _OUTSIDE_METHODS:
                return self._is_access(func.value) or self._is_outside(func.value)
            if isinstance(func, cst.Name) and func.value in _OUTSIDE_BUILTINS:
                return self._bindings.resolve(func) is None
            qualified = self._bindings.qualified(func) or ""
            if qualified.startswith("numpy."):
                return True
            if _FACTORIES.match(qualified):
                if _RANDOM_FACTORIES.match(qualified) and self.found.ran_module:
                    raise Refuse(
                        "OW203",
                        node,
                        code=self._tree.code(node)[:60],
                        why="it draws random numbers after the model has run",
                    )
                return True
        return False

    def _is_random_constant(self, node: cst.BaseExpression) -> bool:
        """`torch.randn(64, 100)`: ORT would draw it from a generator of its own."""
        if not isinstance(node, cst.Call):
            return False
        qualified = self._bindings.qualified(node.func) or ""
        return _RANDOM_FACTORIES.match(qualified) is not None and not (
            set(self._reader.of(node).reads) & self.defined
        )

    def _may_be_filled(self, node: cst.BaseExpression) -> bool:
        """An item of a container that the model was given whole, and may have added to."""
        if isinstance(node, cst.Attribute) and node.attr.value in _OUTSIDE_ATTRIBUTES:
            return False
        if not isinstance(node, (cst.Attribute, cst.Subscript)) or not self.found.ran_module:
            return False
        return root_place(node, self._reader.instance) in self._whole

    def _picks_a_batch(self, node: cst.Subscript) -> bool:
        """`data[start:start + size]`, `x[index]`: another part of the data at every step."""
        if place_of(node.value, self._reader.instance) is None:
            return False
        return any(
            not self._is_global(reader)
            for element in node.slice
            for readers in self._reader.of(element).reads.values()
            for reader in readers
        )

    def _is_option(self, node: cst.BaseExpression) -> bool:
        """`args.alpha`: can be read whether or not the branch that reads it is taken."""
        if not isinstance(node, cst.Attribute) or not isinstance(node.value, cst.Name):
            return False
        owner = node.value.value
        if f"hasattr({owner}," in self._tree.text:
            return False
        return _OPTIONS.match(owner) is not None or owner == self._reader.instance

    def _is_access(self, node: cst.BaseExpression) -> bool:
        """`batch`, `batch["x"]`, `args.lr`, `pair[0]`: a way to a value, no computation."""
        if place_of(node, self._reader.instance) is not None:
            return True
        if isinstance(node, cst.Attribute):
            plain = node.attr.value not in _TENSOR_ATTRIBUTES
            return plain and self._is_access(node.value)
        if isinstance(node, cst.Subscript) and len(node.slice) == 1:
            index = node.slice[0].slice
            simple = isinstance(index, cst.Index) and isinstance(
                index.value, (cst.SimpleString, cst.Integer, cst.UnaryOperation)
            )
            return simple and self._is_access_or_shape(node.value)
        return False

    def _is_access_or_shape(self, node: cst.BaseExpression) -> bool:
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            return node.func.attr.value == "size" and self._is_access(node.func.value)
        return self._is_access(node)

    def _over_inputs(self, node: cst.BaseExpression) -> bool:
        """At least one input, no value of the slice, no module, nothing bound inside `node`."""
        effects = self._reader.of(node)
        if effects.writes or effects.mutates:
            return False
        inputs = 0
        for place, readers in effects.reads.items():
            for reader in readers:
                if place in self.defined or reader not in self._free:
                    return False
                if self._is_global(reader):
                    continue
                if self._modules.evidence(reader) is not None and not self._detached(node):
                    return False
                inputs += 1
        return inputs > 0

    def _detached(self, node: cst.BaseExpression) -> bool:
        """`generator(noise).detach()` runs a module outside, as an input without gradient."""
        cut = isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
        cut = (
            cut
            and cst.ensure_type(cst.ensure_type(node, cst.Call).func, cst.Attribute).attr.value
            == "detach"
        )
        if cut and self.found.ran_module:
            raise Refuse(
                "OW203", node, code=self._tree.code(node)[:60], why="it runs a module of its own"
            )
        return cut

    def _only_of_inputs(self, node: cst.CSTNode) -> bool:
        """A value taken out of inputs alone is computed before the call."""
        if not isinstance(node, cst.BaseExpression):
            return False
        reads = self._reader.of(node).reads
        return not (set(reads) & self.defined) and (
            self._is_detach_of_module(node) or not self._finder._flow.module_uses(node)
        )

    def _is_detach_of_module(self, node: cst.CSTNode) -> bool:
        return (
            isinstance(node, cst.Call)
            and isinstance(node.func, cst.Attribute)
            and node.func.attr.value == "detach"
            and not self.found.ran_module
        )

    # -- names -----------------------------------------------------------------------------------

    def _is_global(self, node: cst.CSTNode) -> bool:
        """The generated class sees the same value under the same name."""
        if not isinstance(node, cst.Name):
            return False
        owner = self._bindings.resolve(node)
        if owner is None:
            return True
        bound = owner.names[node.value]
        if all(binding.kind in ("import", "function", "class") for binding in bound):
            if not owner.is_module:
                what = {"import": "imported", "function": "defined", "class": "defined"}
                raise Refuse(
                    "OW109",
                    node,
                    name=node.value,
                    what=what[bound[0].kind],
                    function=self._tree.qualified_function(node) or "the script",
                )
            return True
        fixed = self._bindings.literal(node) is not None
        return fixed and not self._executes_configuration()

    def _executes_configuration(self) -> bool:
        return any(
            isinstance(call.func, cst.Name) and call.func.value in ("exec", "globals")
            for call in self._tree.calls
        )

    def _part(self, node: cst.BaseExpression, place: str) -> None:
        if self._conditional_depth:
            self.conditional.setdefault(place, node)
        if place not in self.found.parts:
            trainable = self._modules.is_trainable(node)
            self.found.parts[place] = Part(self._part_name(place), place, trainable)
        name = self.found.parts[place].name
        self.found.replacements[node] = cst.Attribute(cst.Name("self"), cst.Name(name))

    def _part_name(self, place: str) -> str:
        name = place.split(".")[-1].lstrip("_") or "module"
        taken = {part.name for part in self.found.parts.values()} | _TAKEN_BY_MODULE
        while name in taken:
            name += "_"
        return name

    def _capture_place(self, place: str, node: cst.CSTNode) -> None:
        self._check_not_filled(place, node)
        self._whole.add(place)
        if place == self._reader.instance:
            raise Refuse("OW107", node, name=place, why="is passed whole")
        self.input_places.add(place)
        if "." in place:
            self._capture_expression(cst.ensure_type(node, cst.Attribute))
            return
        self.found.inputs.setdefault(place, CapturedInput(place, place))

    def _check_not_filled(self, place: str, node: cst.CSTNode) -> None:
        """A container that hooks or forward fill has to be read after the model ran."""
        if self.found.ran_module and place in self._finder._helpers.filled_places():
            code = self._tree.code(node)[:60]
            raise Refuse("OW203", node, code=code, why="the model's run may fill it")

    def _capture_expression(self, node: cst.BaseExpression) -> None:
        for place in self._reader.of(node).reads:
            self._check_not_filled(place, node)
        text = self._tree.source(node)
        drawn = self._draws_numbers(node)
        name = None if drawn else self._expressions.get(text)
        if name is None:
            owner = None if drawn else root_place(node, self._reader.instance)
            name = self._unique(_name_for(node, text), owner)
            self._expressions[text] = name
            self.found.inputs[name if drawn else text] = CapturedInput(name, text)
        self.input_places |= set(self._reader.of(node).reads)
        self.found.replacements[node] = cst.Name(name)

    def _draws_numbers(self, node: cst.CSTNode) -> bool:
        """The same text twice gives two values: `randn_like(x)` for each of two views."""
        if isinstance(node, cst.Call):
            qualified = self._bindings.qualified(node.func) or ""
            if _RANDOM_FACTORIES.match(qualified) or _RANDOM_MODULES.match(qualified):
                return True
        return any(self._draws_numbers(child) for child in children(node))

    def _unique(self, name: str, owner: str | None) -> str:
        """A free parameter name; `loss` of `args` becomes `args_loss` where `loss` is taken."""
        candidate, count = name, 2
        if self._is_taken(name) and owner is not None and "." not in owner and owner != name:
            candidate = name = f"{owner}_{name}"
        while self._is_taken(candidate):
            candidate = f"{name}_{count}"
            count += 1
        return candidate

    def _is_taken(self, name: str) -> bool:
        if name in self._reserved or name in self.defined:
            return True
        if any(captured.name == name for captured in self.found.inputs.values()):
            return True
        return name in self._taken and self._reads_plainly(name)

    def _global_reads(self) -> set[str]:
        """Names that forward needs with the meaning that they have at module level."""
        return {
            place
            for piece in self._slice.pieces
            for place, readers in self._reader.of(piece.node).reads.items()
            if isinstance(readers[0], cst.Name) and self._resolves_outside(readers[0])
        }

    def _resolves_outside(self, name: cst.Name) -> bool:
        owner = self._bindings.resolve(name)
        return owner is None or all(
            binding.kind in ("import", "function", "class") for binding in owner.names[name.value]
        )

    def _reads_plainly(self, name: str) -> bool:
        """The slice also reads `name` by itself, or binds it."""
        for piece in self._slice.pieces:
            effects = self._reader.of(piece.node)
            if name in effects.writes:
                return True
            for reader in effects.reads.get(name, []):
                parent = self._tree.parents.get(reader)
                if not isinstance(parent, (cst.Attribute, cst.Subscript)):
                    return True
        return False


def _reads_values(test: cst.CSTNode, computed: set[str], instance: str | None) -> bool:
    """A condition depends on values of what was computed, not on its kind or shape alone."""
    stack = [test]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.Attribute) and node.attr.value in (*_OUTSIDE_ATTRIBUTES, "is_cuda"):
            continue
        if isinstance(node, cst.Call):
            func = node.func
            name = func.attr.value if isinstance(func, cst.Attribute) else ""
            name = func.value if isinstance(func, cst.Name) else name
            if name in ("size", "dim", "numel", "len", "isinstance", "type", "hasattr", "callable"):
                continue
        if isinstance(node, cst.Comparison) and all(
            isinstance(item.operator, (cst.Is, cst.IsNot, cst.In, cst.NotIn))
            for item in node.comparisons
        ):
            continue
        place = place_of(node, instance)
        if place is not None:
            if place in computed:
                return True
            continue
        stack.extend(children(node))
    return False


def _evaluated_first(node: cst.CSTNode) -> tuple[cst.CSTNode, ...] | None:
    """The parts of a node that run whenever it does; None when all of them do."""
    if isinstance(node, (cst.If, cst.IfExp)):
        return (node.test,)
    if isinstance(node, cst.For):
        return (node.iter,)
    if isinstance(node, cst.BooleanOperation):
        return (node.left,)
    if isinstance(node, (cst.Lambda, cst.Match)):
        return ()
    if isinstance(node, cst.BaseComp):
        return (node.for_in.iter,)
    return None


def _name_for(node: cst.BaseExpression, text: str) -> str:
    """A parameter name for an expression: `batch["labels"]` -> labels, `x.to(d)` -> x."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        suffix = {"size": "_size", "numel": "_numel", "dim": "_dim"}.get(node.func.attr.value, "")
        if _RANDOM_NAMES.search(node.func.attr.value):
            return "noise"
        return _name_for(node.func.value, text) + suffix
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.args:
        return f"{_name_for(node.args[0].value, text)}_{node.func.value}"
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        if node.attr.value in _OUTSIDE_ATTRIBUTES or hasattr(builtins, node.attr.value):
            return _name_for(node.value, text) + (
                "" if node.attr.value == "data" else f"_{node.attr.value}"
            )
        return _identifier(node.attr.value)
    if isinstance(node, cst.Subscript):
        index = node.slice[0].slice
        if isinstance(index, cst.Index) and isinstance(index.value, cst.SimpleString):
            return _identifier(index.value.evaluated_value)
        if isinstance(index, cst.Index):
            return _identifier(
                f"{_name_for(node.value, text)}_{index.value.value}"
                if isinstance(index.value, cst.Integer)
                else _name_for(node.value, text)
            )
    return "value"


def _identifier(value: object) -> str:
    name = re.sub(r"\W+", "_", str(value)).strip("_")
    if not name or name[0].isdigit():
        name = f"input_{name}".rstrip("_")
    return f"{name}_" if keyword.iskeyword(name) else name
