"""Where each node of a LibCST tree stands, as offsets into the text.

LibCST's own `PositionProvider` gives the same places as lines and columns, and its wrapper walks
the tree a second time: together that was a third of a rewrite. A test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst
from libcst._nodes.internal import CodegenState


@dataclass(frozen=True)
class Span:
    """A half-open range of character offsets in the source text."""

    start: int
    end: int


def spans_of(module: cst.Module, text: str) -> dict[cst.CSTNode, tuple[int, int]]:
    """Start and end of every node, without the whitespace and parentheses around it.

    Args:
        module: the tree of `text`.
        text: the source. LibCST forgets some blanks of it, as in `except (A, B) :`.
    """
    state = _Offsets(module.default_indent, module.default_newline)
    module._codegen(state)
    # A last newline is written, and taken away again where there is none.
    written = "".join(state.tokens)
    if written == text:
        return state.spans
    places = _places(written, text)
    last = len(written)
    return {
        node: (places[min(start, last)], places[min(end, last)])
        for node, (start, end) in state.spans.items()
    }


def _places(written: str, text: str) -> list[int]:
    """Where each character that LibCST writes out stands in the text, and where both end."""
    places: list[int] = []
    place = 0
    for character in written:
        while place < len(text) and text[place] != character and text[place].isspace():
            place += 1
        places.append(place)
        place += 1
    return [*places, len(text)]


class _Offsets(CodegenState):
    """Follows LibCST as it writes a module out, and notes how much is written."""

    __slots__ = ("_starts", "offset", "spans")

    def __init__(self, default_indent: str, default_newline: str) -> None:
        super().__init__(default_indent, default_newline)
        self.offset = 0
        self.spans: dict[cst.CSTNode, tuple[int, int]] = {}
        self._starts: list[int] = []

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self.offset += len(value)

    def add_indent_tokens(self) -> None:
        self.tokens.extend(self.indent_tokens)
        self.offset += sum(map(len, self.indent_tokens))

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._starts.append(self.offset)

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self._starts.pop()
        if node not in self.spans:  # a node that knows better has said so by `_Recording`
            self.spans[node] = (start, self.offset)

    def record_syntactic_position(  # type: ignore[override]
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> _Recording:
        return _Recording(self, node, start_node, end_node)


class _Recording:
    """The part of a node that is not layout; some begin or end where a child does."""

    __slots__ = ("_end_node", "_node", "_start", "_start_node", "_state")

    def __init__(
        self,
        state: _Offsets,
        node: cst.CSTNode,
        start_node: cst.CSTNode | None,
        end_node: cst.CSTNode | None,
    ) -> None:
        self._state = state
        self._node = node
        self._start_node = start_node
        self._end_node = end_node

    def __enter__(self) -> None:
        self._start = self._state.offset

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is not None:
            return  # nested too deeply; there is nothing to note
        spans = self._state.spans
        start = self._start if self._start_node is None else spans[self._start_node][0]
        end = self._state.offset if self._end_node is None else spans[self._end_node][1]
        spans[self._node] = (start, end)
