"""From a plan to the generated class: the slice's own code, moved into forward."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from ortwrap.engine.effects.gradients import GradientFlow
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.evidence.criteria import CriterionCall, criterion_calls
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.plan import Captures, ImportStatement, Plan
from ortwrap.engine.steps.local_names import local_name
from ortwrap.engine.text.alignment import align, is_aligned
from ortwrap.engine.text.comments import comments_above, without_footer
from ortwrap.engine.text.nodes import calls_in, loaded_names, stored_names
from ortwrap.engine.text.style import call_over_lines, values_over_lines
from ortwrap.engine.text.tree import SourceTree, Unit
from ortwrap.engine.writing.inner_functions import Line, set_apart, with_functions_below
from ortwrap.engine.writing.wrapper_class import Method, WrapperClass

# The list of what a method takes would be longer than what it says.
_MOST_FOR_A_METHOD = 8


class ForwardBuilder:
    """Turns plans into generated classes."""

    def __init__(
        self,
        tree: SourceTree,
        bindings: Bindings,
        modules: ModuleTable,
        flow: GradientFlow,
        reader: EffectsReader,
        room: int,
    ) -> None:
        """
        Args:
            tree: the script.
            bindings: its names.
            modules: its modules.
            flow: of the function that the step stands in.
            reader: of that function.
            room: the length that a line of forward's body can have.
        """
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._flow = flow
        self._reader = reader
        self._room = room

    def build(self, plan: Plan) -> WrapperClass:
        """The class of one step."""
        captures = plan.captures
        pieces = plan.found.pieces
        head, tail = self._divide(plan)
        parameters = tuple(f"**{item.name}" if item.star else item.name for item in captures.inputs)
        if tail:
            divided = self._in_two(plan, head, tail, parameters)
            if divided is not None:
                return divided
        captures = _with_free_name(captures)
        plan = replace(plan, captures=captures)
        lines = self._statements(pieces, plan)
        lines = self._returning(lines, plan)
        return WrapperClass(
            parts=tuple(part.name for part in captures.parts if not part.spread),
            spread=next((part.name for part in captures.parts if part.spread), ""),
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
    ) -> WrapperClass | None:
        """Forward runs the model and calls `compute_loss` for the rest; None if that takes more."""
        captures = plan.captures
        first = self._statements(head, plan)
        second = self._returning(self._statements(tail, plan), plan, loss_only=True)
        available = {item.name for item in captures.inputs} | {
            name for line in first for name in stored_names(line)
        }
        # What the statements read, and then what functions among them do.
        reading = sorted(second, key=lambda line: isinstance(line, cst.FunctionDef))
        wanted = tuple(dict.fromkeys(name for line in reading for name in loaded_names(line)))
        loss_inputs = tuple(name for name in wanted if name in available)
        if len(loss_inputs) > _MOST_FOR_A_METHOD:
            return None
        loss = self._loss_name(plan)
        start = f"{loss} = " if captures.outputs else "return "
        call = f"{start}self.compute_loss"
        first.append(_statement(call_over_lines(call, loss_inputs, self._tree.indent, self._room)))
        if captures.outputs:
            first.append(self._return([loss, *self._returned(plan)]))
        return WrapperClass(
            parts=tuple(part.name for part in captures.parts if not part.spread),
            spread=next((part.name for part in captures.parts if part.spread), ""),
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
        head, tail = with_functions_below(pieces[:cut], pieces[cut:])
        carried_in_tail = any(
            output.value.split(".")[0] in self._bound_by(piece, plan)
            for output in plan.captures.outputs
            for piece in tail
        )
        star = any(item.star for item in plan.captures.inputs)
        criteria = {part.place for part in plan.captures.parts if not part.trainable}
        criteria.update(*(stored_names(made.unit.node) for made in plan.constructed))
        loss_in_head = any(self._reader.of(piece.node).reads.keys() & criteria for piece in head)
        computes = any(_computes_loss(piece.node) for piece in tail)
        if carried_in_tail or not computes or star or loss_in_head or plan.captures.early:
            return pieces, ()
        return head, tail

    def _criterion_calls(self, plan: Plan) -> dict[cst.Call, CriterionCall]:
        taken = {part.name for part in plan.captures.parts}
        taken |= {made.attribute for made in plan.constructed}
        return criterion_calls(plan.found, self._tree, self._bindings, self._modules, taken)

    def _built(self, plan: Plan) -> tuple[tuple[str, str], ...]:
        """Criteria that the constructor makes, each with what follows `nn.` in its expression."""
        made = {
            (call.attribute, call.constructor)
            for call in self._criterion_calls(plan).values()
            if call.attribute is not None and call.constructor is not None
        }
        made |= {(each.attribute, each.constructor) for each in plan.constructed}
        return tuple(sorted(made))

    # -- statements ------------------------------------------------------------------------------

    def _statements(self, pieces: tuple[Unit, ...], plan: Plan) -> list[Line]:
        calls = self._criterion_calls(plan)
        optional = {output.value for output in plan.captures.outputs if output.optional}
        moved = plan.moved_comments(self._tree)
        lines: list[Line] = []
        for piece in pieces:
            starting = sorted(optional & self._bound_by(piece, plan))
            if starting:
                lines.append(_statement(f"{' = '.join(starting)} = None"))
                optional -= set(starting)
            replacing = _Replace(plan.captures.replacements, calls, self._shift(piece))
            node = piece.node.visit(replacing)
            commented = piece in moved and not piece.shares_line
            if isinstance(node, cst.BaseCompoundStatement):
                above = comments_above(node.leading_lines) if commented else ()
                lines.append(without_footer(node.with_changes(leading_lines=above)))
            elif isinstance(node, cst.BaseExpression):
                lines.append(cst.SimpleStatementLine([cst.Return(_without_parentheses(node))]))
            elif isinstance(node, cst.BaseSmallStatement):
                plain = node.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
                line = cst.SimpleStatementLine([plain])
                behind = piece is not plan.order.anchor and not piece.shares_line
                lines.append(self._with_comments(line, piece, commented, behind))
            for early in plan.captures.early:
                if early.behind is piece:
                    copy = ".clone()" if early.copied else ""
                    lines.append(_statement(f"{early.name} = {early.value}{copy}"))
        return lines

    def _bound_by(self, piece: Unit, plan: Plan) -> set[str]:
        """What a piece may bind, by the names that it has in forward."""
        return {local_name(place, plan.found) for place in self._reader.of(piece.node).writes}

    def _shift(self, piece: Unit) -> int:
        """By how many columns a line of the piece stands further right in a method's body."""
        text = self._tree.line_text(self._tree.line(piece.node))
        return 2 * len(self._tree.indent) - (len(text) - len(text.lstrip(" ")))

    def _with_comments(
        self, line: cst.SimpleStatementLine, piece: Unit, above: bool, behind: bool
    ) -> Line:
        original = self._tree.parents[piece.node]
        if not isinstance(original, cst.SimpleStatementLine):
            return line
        if above:
            line = line.with_changes(leading_lines=comments_above(original.leading_lines))
        if behind:
            line = line.with_changes(trailing_whitespace=_trimmed(original.trailing_whitespace))
        return line

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
        return [*lines, self._return([loss, *outputs])]

    def _return(self, values: list[str]) -> Line:
        return _statement(values_over_lines("return ", values, "", self._tree.indent, self._room))

    def _imports(self, lines: list[Line], plan: Plan) -> list[Line]:
        """What the step's function imports by itself, as far as these statements read it."""
        read = {name for line in lines for name in loaded_names(line)}
        return [
            cst.SimpleStatementLine([_importing(node, read)])
            for node in plan.captures.imports
            if read & self._bindings.names_of_import(node)
        ]

    def _returned(self, plan: Plan) -> list[str]:
        return [
            f"{output.value}.detach()" if output.detach else output.value
            for output in plan.captures.outputs
        ]

    def _loss_name(self, plan: Plan) -> str:
        return local_name(plan.found.place or plan.loss_target, plan.found)

    def _render(self, lines: list[Line], plan: Plan) -> str:
        """Source text of statements at the depth of a method's body."""
        lines = set_apart([*self._imports(lines, plan), *lines])
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
        shift: int,
    ) -> None:
        super().__init__()
        self._replacements = replacements
        self._calls = calls
        self._shift = shift

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node not in self._replacements

    def on_leave(  # type: ignore[override]
        self, original_node: cst.CSTNode, updated_node: cst.CSTNode
    ) -> cst.CSTNode:
        if isinstance(original_node, cst.Call) and original_node in self._calls:
            return self._calls[original_node].rewrite(cst.ensure_type(updated_node, cst.Call))
        if isinstance(original_node, cst.SimpleWhitespace) and "\n" in original_node.value:
            return cst.SimpleWhitespace(_shifted(original_node.value, self._shift))
        if isinstance(updated_node, cst.TrailingWhitespace):
            return _trimmed(updated_node)
        if isinstance(updated_node, cst.Else):
            # A statement that stood before it may have moved away and left an empty line.
            lines = [line for line in updated_node.leading_lines if line.comment is not None]
            return updated_node.with_changes(leading_lines=lines)
        replacement = self._replacements.get(original_node)
        return updated_node if replacement is None else replacement


def _trimmed(end: cst.TrailingWhitespace) -> cst.TrailingWhitespace:
    """The end of a line without spaces that nothing follows."""
    return end if end.comment else end.with_changes(whitespace=cst.SimpleWhitespace(""))


def _with_free_name(captures: Captures) -> Captures:
    """A method of the script's own keeps the name `compute_loss` where the class makes none."""
    taken = "compute_loss_"
    if all(part.name != taken for part in captures.parts):
        return captures
    held, own = (
        cst.Attribute(cst.Name("self"), cst.Name(name)) for name in (taken, taken.rstrip("_"))
    )
    return replace(
        captures,
        parts=tuple(
            replace(part, name=own.attr.value) if part.name == taken else part
            for part in captures.parts
        ),
        replacements={
            node: own if value.deep_equals(held) else value
            for node, value in captures.replacements.items()
        },
    )


def _shifted(continuation: str, columns: int) -> str:
    """The space between two lines that a backslash joins, for another depth of the statement."""
    *lines, indent = continuation.split("\n")
    depth = 0 if "\t" in indent else max(columns, -len(indent))
    return "\n".join([*lines, indent + " " * depth if depth > 0 else indent[-depth:]])


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


def _computes_loss(node: cst.CSTNode) -> bool:
    """It calls something; `loss.mean()` of what the model gave as its loss is worth no method."""
    return any(not _averages_loss(call) for call in calls_in(node))


def _averages_loss(call: cst.Call) -> bool:
    func = call.func
    if call.args or not isinstance(func, cst.Attribute) or not isinstance(func.value, cst.Name):
        return False
    return func.attr.value in ("mean", "sum") and "loss" in func.value.value.lower()


def _importing(node: ImportStatement, names: set[str]) -> ImportStatement:
    """The same import of these names alone, on one line."""
    node = node.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
    if isinstance(node.names, cst.ImportStar):
        return node
    bound = {alias: alias.evaluated_alias or alias.evaluated_name for alias in node.names}
    kept = [alias for alias, name in bound.items() if name.partition(".")[0] in names]
    if len(kept) == len(node.names):
        return node
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    kept = [alias.with_changes(comma=comma) for alias in kept]
    kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    alone = node.with_changes(names=kept)
    return alone.with_changes(lpar=None, rpar=None) if isinstance(alone, cst.ImportFrom) else alone
