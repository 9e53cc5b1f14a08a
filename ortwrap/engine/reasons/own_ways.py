"""Modules that are trained in a way of their own: the reason to give before any other."""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.reachable import reachable_calls
from ortwrap.engine.reasons.whole_steps import compiler_of
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice

# What `DataParallel` is made of.
_SPLIT_A_BATCH = frozenset(
    f"torch.nn.parallel.{name}" for name in ("data_parallel", "replicate", "parallel_apply")
)
_HOOKS_ALL = re.compile(r"^torch\.nn\.modules\.module\.register_module_\w*hook$")


def check_own_ways(found: LossSlice, analyses: Analyses) -> None:
    """Look at every module that a slice runs, and at what compiles or sees the step as a whole.

    Raises:
        Refuse: one of them is more than its code.
    """
    compiler = compiler_of(found.sink.call, analyses)
    if compiler is not None:
        raise Refuse("OW315", compiler, name=analyses.tree.code(compiler))
    seen = _sees_all_modules(analyses)
    for piece in found.pieces:
        for use in analyses.flow.module_uses(piece.node):
            if seen is not None:
                name, why = analyses.tree.code(use), f"runs what `{analyses.tree.code(seen)}` adds"
                raise Refuse(
                    "OW107", seen, name=name, why=f"{why}, which the wrapper would run too"
                )
            check_own_way(use, analyses.tree.code(use), analyses.modules)
        for call in reachable_calls(piece.node, analyses):
            if analyses.bindings.qualified(call.func) in _SPLIT_A_BATCH:
                raise Refuse("OW311", call, name=analyses.tree.code(call.func))


def _sees_all_modules(analyses: Analyses) -> cst.CSTNode | None:
    """`register_module_forward_hook(note)`: the wrapper is one more module to it."""
    if "register_module_" not in analyses.tree.text:
        return None
    called = (call.func for call in analyses.tree.calls)
    return next((f for f in called if _HOOKS_ALL.match(analyses.bindings.qualified(f) or "")), None)


def check_own_way(node: cst.CSTNode, name: str, modules: ModuleTable) -> None:
    """Look at one module.

    Raises:
        Refuse: no graph can stand in for it.
    """
    evidence = modules.evidence(node)
    if evidence is not None and evidence.role == "parallel":
        raise Refuse("OW311", node, name=name)
    if evidence is not None and evidence.role == "engine":
        raise Refuse("OW312", node, name=name, why=evidence.reason)
