"""Everything that is known about the function in which a step stands."""

from __future__ import annotations

from dataclasses import dataclass

from ortwrap.engine.effects.aliases import Aliases
from ortwrap.engine.effects.gradients import GradientFlow
from ortwrap.engine.effects.liveness import Liveness
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.effects.uses import Uses
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.objects import Objects
from ortwrap.engine.evidence.optimizers import Optimizers
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.helpers import Helpers
from ortwrap.engine.text.tree import SourceTree


@dataclass(frozen=True, eq=False)
class Analyses:
    """The analyses that the stages after the slice share.

    Attributes:
        tree: the script.
        bindings: what its names refer to.
        modules: which objects are trainable modules or criteria.
        helpers: its functions, and which modules they run.
        reader: what the code of this function reads and changes.
        flow: where gradients flow in this function.
        liveness: which values of this function are still needed.
        optimizers: which objects of the script are optimizers.
        objects: how its objects of plain classes were made, and what their methods change.
        uses: which of them change when they are merely used.
        aliases: which places of this function may hold the same object.
    """

    tree: SourceTree
    bindings: Bindings
    modules: ModuleTable
    helpers: Helpers
    reader: EffectsReader
    flow: GradientFlow
    liveness: Liveness
    optimizers: Optimizers
    objects: Objects
    uses: Uses
    aliases: Aliases
