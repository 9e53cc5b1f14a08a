"""A step that is left as it is, and why."""

from __future__ import annotations

from typing import Any

import libcst as cst

from ortwrap.engine.refusal_pages import PAGES


class Refuse(Exception):
    """Raised while a step is analysed: it stays as it is.

    Args:
        code: a key of `PAGES`.
        node: where the reason stands, if it is not the sink itself.
        names: what the message's placeholders stand for.
    """

    def __init__(self, code: str, node: cst.CSTNode | None = None, /, **names: Any) -> None:
        super().__init__(code)
        self.page = PAGES[code]
        self.node = node
        self._names = names
        self.message = self.page.message.format(**names)
        self.advice = self.page.advice.format(**names)

    def seen_from(self, node: cst.CSTNode, place: str) -> Refuse:
        """The same refusal where the script meets it; the reason stands at a place elsewhere."""
        seen = Refuse(self.page.code, node, **self._names)
        seen.message += f" ({place})"
        return seen
