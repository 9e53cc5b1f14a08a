"""Methods of a base class that the loss is computed by, and that nobody here can look into."""

from __future__ import annotations

from typing import Callable

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.evidence.frameworks import HUGGING_FACE, is_trainer_base
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.lineage import Ancestor
from ortwrap.engine.refusals import Refuse

# Of these trainers it is known that `compute_loss` runs the model and computes, and no more:
# those that derive from them keep metrics by the way.
_ONLY_COMPUTE = frozenset(["transformers.Trainer", "transformers.Seq2SeqTrainer"])


def check_is_read(func: cst.Attribute, analyses: Analyses) -> None:
    """Look at what a call in the slice runs, if that is a method of the instance.

    Raises:
        Refuse: it is a method that a base class has, and no file that is read.
    """
    classes, name = analyses.modules.classes, func.attr.value
    home = classes.home(func)
    if home is None:
        return
    lineage = classes.lineage(home)
    if _is_super(func.value, analyses.bindings):
        behind = (member for member in lineage.members if member.node is not home)
        giver = next((member for member in behind if member.gives(name)), None)
        if giver is None:
            raise _of_library(func, lineage.libraries, analyses)
        why = f"is a method of {giver.place}, a base class that the generated class has not"
        raise Refuse("OW107", func, name=analyses.tree.code(func), why=why)
    of_instance = isinstance(func.value, cst.Name) and func.value.value == analyses.reader.instance
    known = analyses.modules.evidence(func) is not None or any(map(_has(name), lineage.members))
    if not of_instance or known:
        return
    trainers = {base for base in lineage.libraries if is_trainer_base(base)}
    computes = name == "compute_loss" and trainers <= _ONLY_COMPUTE
    if trainers and not computes and name not in HUGGING_FACE.always_there:
        raise _of_library(func, sorted(trainers), analyses)


def _has(name: str) -> Callable[[Ancestor], bool]:
    """A class gives its instances an attribute, or one of its methods does."""
    return lambda member: member.gives(name) or member.assigns(name)


def _of_library(func: cst.Attribute, bases: list[str], analyses: Analyses) -> Refuse:
    base = " or ".join(f"`{each}`" for each in bases) or "a base class"
    return Refuse("OW119", func, name=analyses.tree.code(func), base=base)


def _is_super(node: cst.CSTNode, bindings: Bindings) -> bool:
    """`super()`, the builtin."""
    func = node.func if isinstance(node, cst.Call) else None
    named = isinstance(func, cst.Name) and func.value == "super"
    return named and bindings.resolve(cst.ensure_type(func, cst.Name)) is None
