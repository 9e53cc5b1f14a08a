"""The refusal of a loss whose graph an update or another backward has already been through."""

from __future__ import annotations

from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.tree import SourceTree, Unit


class SharedGraph(Refuse):
    """A loss whose modules all ran before an update or another backward.

    Attributes:
        units: the statements that ran them.
    """

    def __init__(self, units: tuple[Unit, ...], tree: SourceTree) -> None:
        node = units[0].node
        super().__init__("OW202", node, code=tree.brief(node), line=tree.line(node))
        self.units = units
