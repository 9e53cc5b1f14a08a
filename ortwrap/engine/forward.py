"""The generated class: the slice's own code, moved into forward."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, Union

import libcst as cst

from ortwrap.engine.alignment import align, is_aligned
from ortwrap.engine.bindings import Bindings
from ortwrap.engine.criteria import CriterionCall, criterion_calls
from ortwrap.engine.effects import EffectsReader
from ortwrap.engine.gradients import GradientFlow
from ortwrap.engine.modules import ModuleTable
from ortwrap.engine.nodes import children
from ortwrap.engine.options import Options
from ortwrap.engine.plan import Plan
from ortwrap.engine.templating import render
from ortwrap.engine.tree import SourceTree, Unit

Compound = TypeVar("Compound", bound=cst.CSTNode)
Line = Union[cst.SimpleStatementLine, cst.BaseCompoundStatement]


@dataclass(frozen=True)
class Method:
    """A method of the generated class.

    Attributes:
        parameters: without `self`.
        body: indented source text that ends in a newline.
    """

    parameters: tuple[str, ...]
    body: str


@dataclass(frozen=True)
class WrapperClass:
    """The generated class, but for its name.

    Attributes:
        parts: constructor parameters.
        built: attributes that the constructor makes itself, with what follows `nn.` there.
        compute_loss: the loss by itself, where the slice divides into a forward pass and a loss.
        forward: runs the model and the loss.
    """

    parts: tuple[str, ...]
    built: tuple[tuple[str, str], ...]
    compute_loss: Method | None
    forward: Method

    def shape(self) -> tuple[object, ...]:
        """The class with its parameters and locals numbered: equal shapes can share a class."""
        methods = [method for method in (self.compute_loss, self.forward) if method is not None]
        return (self.parts, self.built, *(_numbered(method) for method in methods))

    def render(
        self,
        name: str,
        base: str,
        origin: str,
        indent: str,
        quotes: str,
        line_length: int,
        options: Options,
    ) -> str:
        """Source text of the class, ending in a newline.

        Raises:
            InvalidTemplate: the user's own template cannot be used.
        """
        values = {
            "name": name,
            "base": base,
            "origin": origin,
            "indent": indent,
            "quotes": quotes,
            "line_length": line_length,
            "parts": self.parts,
            "built": [(name, base.replace("Module", made)) for name, made in self.built],
            "compute_loss": self.compute_loss,
            "forward": self.forward,
        }
        return render("module_with_loss.py.j2", values, options.template)


def _numbered(method: Method) -> tuple[str, ...]:
    """The tokens of a method, names that it binds replaced by their order of appearance."""
    if any(parameter.startswith("*") for parameter in method.parameters):
        return (*method.parameters, method.body)
    source = f"def f({', '.join(method.parameters)}):\n{method.body}"
    bound = set(method.parameters) | _stored_names(cst.parse_module(source))
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    numbers: dict[str, str] = {}
    words: list[str] = []
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token.string in "([{" and token.string != "") - (
            token.string in ")]}" and token.string != ""
        )
        attribute = index > 0 and tokens[index - 1].string == "."
        keyword = depth > 0 and tokens[min(index + 1, len(tokens) - 1)].string == "="
        if token.type == tokenize.COMMENT:
            continue
        if token.type == tokenize.NAME and token.string in bound and not attribute and not keyword:
            words.append(numbers.setdefault(token.string, f"${len(numbers)}"))
        else:
            words.append(token.string)
    return tuple(words)


class ForwardBuilder:
    """Turns plans into generated classes."""

    def __init__(
        self,
        tree: SourceTree,
        bindings: Bindings,
        modules: ModuleTable,
        flow: GradientFlow,
        reader: EffectsReader,
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._flow = flow
        self._reader = reader

    def build(self, plan: Plan) -> WrapperClass:
        """The class of one step."""
        captures = plan.captures
        pieces = plan.found.pieces
        head, tail = self._divide(plan)
        parameters = tuple(f"**{item.name}" if item.star else item.name for item in captures.inputs)
        if tail:
            return self._in_two(plan, head, tail, parameters)
        lines = self._statements(pieces, plan)
        lines = self._returning(lines, plan)
        return WrapperClass(
            parts=tuple(part.name for part in captures.parts),
            built=self._built(plan),
            compute_loss=None,
            forward=Method(parameters, self._render(lines, plan)),
        )

    def _in_two(
        self,
        plan: Plan,
        head: tuple[Unit, ...],
        tail: tuple[Unit, ...],
        parameters: tuple[str, ...],
    ) -> WrapperClass:
        """Forward runs the model and calls `compute_loss` for the rest."""
        captures = plan.captures
        first = self._statements(head, plan)
        second = self._returning(self._statements(tail, plan), plan, loss_only=True)
        available = {item.name for item in captures.inputs} | {
            name for line in first for name in _stored_names(line)
        }
        wanted = tuple(dict.fromkeys(name for line in second for name in _loaded_names(line)))
        loss_inputs = tuple(name for name in wanted if name in available)
        call = f"self.compute_loss({', '.join(loss_inputs)})"
        if captures.outputs:
            loss = self._loss_name(plan)
            first.append(_statement(f"{loss} = {call}"))
            first.append(_statement(f"return {', '.join([loss, *self._returned(plan)])}"))
        else:
            first.append(_statement(f"return {call}"))
        return WrapperClass(
            parts=tuple(part.name for part in captures.parts),
            built=self._built(plan),
            compute_loss=Method(loss_inputs, self._render(second, plan)),
            forward=Method(parameters, self._render(first, plan)),
        )

    def _divide(self, plan: Plan) -> tuple[tuple[Unit, ...], tuple[Unit, ...]]:
        """The pieces that run the model, and those after them that compute the loss."""
        pieces = plan.found.pieces
        trained = {part.place for part in plan.captures.parts if part.trainable}
        runs = [
            i
            for i, piece in enumerate(pieces)
            if self._flow.module_uses(piece.node)
            or self._reader.of(piece.node).reads.keys() & trained
        ]
        cut = runs[-1] + 1
        head, tail = pieces[:cut], pieces[cut:]
        carried_in_tail = any(
            output.value.split(".")[0] in _stored_names(piece.node)
            for output in plan.captures.outputs
            for piece in tail
        )
        star = any(item.star for item in plan.captures.inputs)
        criteria = {part.place for part in plan.captures.parts if not part.trainable}
        loss_in_head = any(self._reader.of(piece.node).reads.keys() & criteria for piece in head)
        calls = any(_contains_call(piece.node) for piece in tail)
        if carried_in_tail or not calls or star or loss_in_head:
            return pieces, ()
        return head, tail

    def _criterion_calls(self, plan: Plan) -> dict[cst.Call, CriterionCall]:
        taken = {part.name for part in plan.captures.parts}
        return criterion_calls(plan.found, self._tree, self._bindings, self._modules, taken)

    def _built(self, plan: Plan) -> tuple[tuple[str, str], ...]:
        """Criteria that the constructor makes, each with what follows `nn.` in its expression."""
        made = {
            (call.attribute, call.constructor)
            for call in self._criterion_calls(plan).values()
            if call.attribute is not None and call.constructor is not None
        }
        return tuple(sorted(made))

    # -- statements ------------------------------------------------------------------------------

    def _statements(self, pieces: tuple[Unit, ...], plan: Plan) -> list[Line]:
        replace = _Replace(plan.captures.replacements, self._criterion_calls(plan))
        lines: list[Line] = []
        for piece in pieces:
            node = piece.node.visit(replace)
            commented = piece in plan.moved_comments and not piece.shares_line
            moves = piece is not plan.order.anchor and not piece.shares_line
            if isinstance(node, cst.BaseCompoundStatement):
                above = _comments_above(node.leading_lines) if commented else ()
                lines.append(_without_footer(node.with_changes(leading_lines=above)))
            elif isinstance(node, cst.BaseExpression):
                lines.append(cst.SimpleStatementLine([cst.Return(_without_parentheses(node))]))
            elif isinstance(node, cst.BaseSmallStatement):
                plain = node.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
                line = cst.SimpleStatementLine([plain])
                lines.append(self._with_comments(line, piece, commented) if moves else line)
        return lines

    def _with_comments(self, line: cst.SimpleStatementLine, piece: Unit, above: bool) -> Line:
        original = cst.ensure_type(self._tree.parents[piece.node], cst.SimpleStatementLine)
        return line.with_changes(
            leading_lines=_comments_above(original.leading_lines) if above else (),
            trailing_whitespace=original.trailing_whitespace,
        )

    def _returning(self, lines: list[Line], plan: Plan, loss_only: bool = False) -> list[Line]:
        """End the body in a `return` of the loss and, unless `loss_only`, the outputs."""
        loss = self._loss_name(plan)
        outputs = [] if loss_only else self._returned(plan)
        last = lines[-1]
        value = _returned_value(last) if plan.found.inline else _assigned_value(last, loss)
        if value is not None and not outputs:
            returned = cst.SimpleStatementLine([cst.Return(value)], last.leading_lines)
            if isinstance(last, cst.SimpleStatementLine):
                returned = last.with_changes(body=[cst.Return(value)])
            return [*lines[:-1], returned]
        if value is not None and plan.found.inline:
            target = cst.AssignTarget(cst.Name(loss))
            lines = [*lines[:-1], cst.SimpleStatementLine([cst.Assign([target], value)])]
        return [*lines, _statement(f"return {', '.join([loss, *outputs])}")]

    def _imports(self, lines: list[Line], plan: Plan) -> list[Line]:
        """What the step's function imports by itself, as far as these statements read it."""
        read = {name for line in lines for name in _loaded_names(line)}
        return [
            cst.SimpleStatementLine([node.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)])
            for node in plan.captures.imports
            if read & self._bindings.names_of_import(node)
        ]

    def _returned(self, plan: Plan) -> list[str]:
        return [
            f"{output.value}.detach()" if output.detach else output.value
            for output in plan.captures.outputs
        ]

    def _loss_name(self, plan: Plan) -> str:
        place = plan.found.place or plan.loss_target
        return place.split(".")[-1]

    def _render(self, lines: list[Line], plan: Plan) -> str:
        """Source text of statements at the depth of a method's body."""
        lines = [*self._imports(lines, plan), *lines]
        method = cst.FunctionDef(cst.Name("f"), cst.Parameters(), cst.IndentedBlock(lines))
        shell = cst.ClassDef(cst.Name("C"), cst.IndentedBlock([method]))
        module = cst.Module(
            [shell],
            default_indent=self._tree.indent,
            default_newline="\n",
        )
        code = align(module.code) if self._is_aligned(plan) else module.code
        return code.split("\n", 2)[2]

    def _is_aligned(self, plan: Plan) -> bool:
        """Where the slice breaks a line inside of brackets, it goes on below them."""
        broken = [
            "\n".join(map(self._tree.line_text, range(first, last + 1))) + "\n"
            for piece in plan.found.pieces
            for first, last in [(self._tree.line(piece.node), self._tree.end_line(piece.node))]
            if first != last
        ]
        return is_aligned("".join(broken))


class _Replace(cst.CSTTransformer):
    def __init__(
        self,
        replacements: dict[cst.CSTNode, cst.BaseExpression],
        calls: dict[cst.Call, CriterionCall],
    ) -> None:
        super().__init__()
        self._replacements = replacements
        self._calls = calls

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node not in self._replacements

    def on_leave(  # type: ignore[override]
        self, original_node: cst.CSTNode, updated_node: cst.CSTNode
    ) -> cst.CSTNode:
        if isinstance(original_node, cst.Call) and original_node in self._calls:
            return self._calls[original_node].rewrite(cst.ensure_type(updated_node, cst.Call))
        replacement = self._replacements.get(original_node)
        return updated_node if replacement is None else replacement


def _without_footer(node: Compound) -> Compound:
    """Comments below the last inner statement stay where they are: they are about what follows."""
    last = [name for name in ("finalbody", "orelse") if getattr(node, name, None) is not None]
    if isinstance(node, cst.Try) and not last and node.handlers:
        return node
    if last:
        return node.with_changes(**{last[0]: _without_footer(getattr(node, last[0]))})
    body = getattr(node, "body", None)
    if not isinstance(body, cst.IndentedBlock):
        return node
    inner = body.body[-1]
    if isinstance(inner, cst.BaseCompoundStatement):
        body = body.with_changes(body=[*body.body[:-1], _without_footer(inner)])
    return node.with_changes(body=body.with_changes(footer=()))


def _comments_above(lines: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """The comments directly above a statement, after the last blank line."""
    found: list[cst.EmptyLine] = []
    for line in reversed(lines):
        if line.comment is None:
            break
        found.insert(0, line)
    return found


def _statement(code: str) -> Line:
    statement = cst.parse_statement(code)
    assert isinstance(statement, cst.SimpleStatementLine)
    return statement


def _without_parentheses(node: cst.BaseExpression) -> cst.BaseExpression:
    multiline = "\n" in cst.Module([]).code_for_node(node.with_changes(lpar=[], rpar=[]))
    return node if multiline else node.with_changes(lpar=[], rpar=[])


def _assigned_value(line: Line, name: str) -> cst.BaseExpression | None:
    """The value of a line that does nothing but bind `name`."""
    if not isinstance(line, cst.SimpleStatementLine):
        return None
    node = line.body[0]
    if isinstance(node, cst.Assign) and len(node.targets) == 1:
        target: cst.CSTNode = node.targets[0].target
    elif isinstance(node, cst.AnnAssign):
        target = node.target
    else:
        return None
    return node.value if isinstance(target, cst.Name) and target.value == name else None


def _returned_value(line: Line) -> cst.BaseExpression | None:
    node = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    return node.value if isinstance(node, cst.Return) else None


def _contains_call(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Call) or any(_contains_call(child) for child in children(node))


def _stored_names(node: cst.CSTNode) -> set[str]:
    """Names that a piece binds, attributes of the instance under their last name."""
    names: set[str] = set()
    stack = [node]
    while stack:
        current = stack.pop()
        targets: list[cst.CSTNode] = []
        if isinstance(current, cst.Assign):
            targets = [target.target for target in current.targets]
        elif isinstance(current, (cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.For)):
            targets = [current.target]
        elif isinstance(current, cst.AsName):
            targets = [current.name]
        while targets:
            target = targets.pop()
            if isinstance(target, (cst.Tuple, cst.List)):
                targets.extend(element.value for element in target.elements)
            elif isinstance(target, cst.Name):
                names.add(target.value)
            elif isinstance(target, cst.Attribute):
                names.add(target.attr.value)
        stack.extend(children(current))
    return names


def _loaded_names(node: cst.CSTNode) -> list[str]:
    """Names in a statement in source order, but for attributes and keywords."""
    if isinstance(node, cst.Name):
        return [node.value]
    if isinstance(node, cst.Attribute):
        return _loaded_names(node.value)
    if isinstance(node, cst.Arg):
        return _loaded_names(node.value)
    return [name for child in children(node) for name in _loaded_names(child)]
