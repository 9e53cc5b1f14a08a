"""The text of a helper's statements at the place of its call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from ortwrap.engine.inlining.bodies import statements_of
from ortwrap.engine.inlining.call_sites import CallSite
from ortwrap.engine.inlining.local_names import LocalNames
from ortwrap.engine.text.edits import Edit, apply_edits, indentation
from ortwrap.engine.text.lines import lines_of
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree, Unit

_ATOMS = (cst.Name, cst.Attribute, cst.Subscript, cst.Call, cst.Integer, cst.Float)


def inlined_lines(
    site: CallSite, function: cst.FunctionDef, names: LocalNames, tree: SourceTree
) -> tuple[str, ...]:
    """What takes the place of the lines of a statement that calls a helper."""
    *units, last = statements_of(function, tree)
    returned = cst.ensure_type(last.node, cst.Return)
    first = tree.line(units[0].node if units else returned)
    start, end = tree.line_start(first), tree.span(returned).start
    statement = tree.span(site.statement)
    comment = tree.text[statement.end : tree.line_start(tree.line_at(statement.end) + 1)].strip()
    body = _renamed(tree, start, tree.line_start(tree.line_at(end)), units, names)
    outer = indentation(tree.line_text(tree.line(site.statement)))
    inner = indentation(tree.line_text(tree.line(returned)))
    lines = [
        *([comment] if comment else []),
        *(f"{name} = {tree.source(value)}" for name, value in names.bound_first),
    ]
    return (
        *(f"{outer}{line}{tree.newline}" for line in lines),
        *_indented(body, inner, outer),
        *_indented(_result(site, last, names, tree), inner, outer),
    )


def _result(site: CallSite, last: Unit, names: LocalNames, tree: SourceTree) -> str:
    """The statement with what the helper returns for its call; nothing if that says nothing."""
    returned = cst.ensure_type(last.node, cst.Return)
    span, call, statement = map(tree.span, (returned, site.call, site.statement))
    value = _renamed(tree, span.start, span.end, [last], names)[len("return") :].strip()
    targets = _assigned_to(site)
    pairs = _pairs(targets[0], returned.value) if len(targets) == 1 else []
    if len(set(site.bound)) < len(site.bound):
        pairs = []
    rest = [pair for pair in pairs if not _is_bound_already(*pair, names)]
    if pairs and not rest:
        return ""
    if len(rest) < len(pairs) and "\n" not in value:
        left = ", ".join(tree.source(target) for target, _ in rest)
        right = ", ".join(_element(tree, each, last, names) for _, each in rest)
        return f"{left} = {right}{tree.newline}"
    if not targets and not isinstance(returned.value, _ATOMS):
        value = f"({value})"
    before, after = tree.text[statement.start : call.start], tree.text[call.end : statement.end]
    return f"{before}{value}{after}{tree.newline}"


def _element(tree: SourceTree, value: cst.BaseExpression, last: Unit, names: LocalNames) -> str:
    span = tree.span(value)
    text = _renamed(tree, span.start, span.end, [last], names)
    return f"({text})" if value.lpar else text


def _assigned_to(site: CallSite) -> list[cst.CSTNode]:
    """The targets of an assignment of just what the call gives."""
    statement = site.statement
    if not isinstance(statement, cst.Assign) or statement.value is not site.call:
        return []
    return [target.target for target in statement.targets]


def _pairs(
    target: cst.CSTNode, value: cst.BaseExpression | None
) -> list[tuple[cst.CSTNode, cst.BaseExpression]]:
    """Each target with what it gets, where both are written out."""
    if isinstance(target, cst.Name) and isinstance(value, cst.Name):
        return [(target, value)]
    if not isinstance(target, cst.Tuple) or not isinstance(value, cst.Tuple):
        return []
    elements = (*target.elements, *value.elements)
    starred = any(isinstance(element, cst.StarredElement) for element in elements)
    if starred or len(target.elements) != len(value.elements):
        return []
    return [(one.value, two.value) for one, two in zip(target.elements, value.elements)]


def _is_bound_already(target: cst.CSTNode, value: cst.BaseExpression, names: LocalNames) -> bool:
    """`kl` of a helper that returns what it calls so."""
    if not isinstance(target, cst.Name) or not isinstance(value, cst.Name):
        return False
    return target.value == (names.written_for(value) or value.value)


def _renamed(tree: SourceTree, start: int, end: int, units: list[Unit], names: LocalNames) -> str:
    """A part of the text in which every local goes by the name that it gets, without comments.

    Those stay where they are, in the helper.
    """
    edits = [Edit(span.start, span.end, "") for span, _ in tree.comments]
    for unit in units:
        for node in descendants(unit.node):
            written = names.written_for(node) if isinstance(node, cst.Name) else None
            if written is not None:
                span = tree.span(node)
                edits.append(Edit(span.start, span.end, written))
    inside = [
        replace(edit, start=edit.start - start, end=edit.end - start)
        for edit in edits
        if start <= edit.start < end
    ]
    return apply_edits(tree.text[start:end], inside)


def _indented(text: str, inner: str, outer: str) -> Iterator[str]:
    """Lines of a function's body at another depth, without those that are empty."""
    for line in lines_of(text):
        text, end = line.rstrip(), line[len(line.rstrip("\r\n")) :]
        if text:
            yield outer + (text[len(inner) :] if text.startswith(inner) else text.lstrip()) + end
