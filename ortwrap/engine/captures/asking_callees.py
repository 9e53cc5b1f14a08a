"""Losses that ask for values of the batch, in other files and in classes of criteria.

A function of the script is looked through where forward calls it; these are not, but what they are
sure to ask no graph can answer, and no graph draws the weights of a layer that they make.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.bare_layers import layer_with_drawn_weights
from ortwrap.engine.effects.questions import first_question
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.classes import RUN_BY_A_CALL
from ortwrap.engine.names.elsewhere import OtherFile, defined_elsewhere
from ortwrap.engine.refusals import Refuse


def check_callee(call: cst.Call, analyses: Analyses) -> None:
    """Look into what a call of the slice runs.

    Raises:
        Refuse: it takes a branch by values of tensors, whatever it is given, or makes a layer.
    """
    for function, modules, bindings, file in _run_by(call, analyses):
        layer = layer_with_drawn_weights(function.body, bindings)
        if layer is not None:
            refusal = Refuse("OW307", call, code=bindings.tree.brief(layer))
            raise refusal if file is None else refusal.seen_from(call, file.place(layer))
        question = None
        if not function.decorators:
            question = first_question(function, bindings, modules.values)
        if question is not None:
            code = f"{bindings.tree.brief(question)}` in `{analyses.tree.code(call.func)}"
            refusal = Refuse("OW305", call, code=code, what="the step computes")
            place = file.place(question) if file is not None else ""
            raise refusal.seen_from(call, place) if place else refusal


_Run = Iterator[tuple[cst.FunctionDef, ModuleTable, Bindings, "OtherFile | None"]]


def _run_by(call: cst.Call, analyses: Analyses) -> _Run:
    found = defined_elsewhere(call.func, analyses.bindings)
    if found is not None and isinstance(found.node, cst.FunctionDef):
        yield found.node, found.file.modules, found.file.bindings, found.file
    if not analyses.modules.is_criterion(call.func):
        return
    for value in analyses.modules.values(call.func):
        made = value.func if isinstance(value, cst.Call) else None
        here = None if made is None else analyses.bindings.definition(made)
        there = None if made is None else defined_elsewhere(made, analyses.bindings)
        if isinstance(here, cst.ClassDef):
            for method in analyses.modules.classes.inherited_among(here, RUN_BY_A_CALL):
                yield method, analyses.modules, analyses.bindings, None
        elif there is not None and isinstance(there.node, cst.ClassDef):
            file = there.file
            for method in file.modules.classes.inherited_among(there.node, RUN_BY_A_CALL):
                yield method, file.modules, file.bindings, file
