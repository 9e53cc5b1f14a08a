"""What ran where: for the user, for `ortwrap verify`, and as a file."""

from __future__ import annotations

import atexit
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from . import settings
from .dispatch import Dispatcher
from .plans import GraphPlan, Plan

_PROCESS = os.getpid()


class _Entry:
    """A wrapper of this process: itself, or what it did once its modules have been collected."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher: Dispatcher | None = dispatcher
        self._final: dict[str, Any] = {}

    def is_of(self, dispatcher: Dispatcher) -> bool:
        return self._dispatcher is dispatcher

    def close(self) -> None:
        self._final, self._dispatcher = self.row(), None

    def row(self) -> dict[str, Any]:
        dispatcher = self._dispatcher
        return self._final if dispatcher is None else of_wrapper(dispatcher)


# None is ever taken out: a wrapper may be retired by the garbage collector while a report is made.
_ENTRIES: list[_Entry] = []


def register(dispatcher: Dispatcher) -> None:
    """Takes a wrapper into the report of the process."""
    if not _ENTRIES:
        atexit.register(write)
    _ENTRIES.append(_Entry(dispatcher))


def retire(dispatcher: Dispatcher) -> None:
    """Keeps what a wrapper did, but not its graphs, after its modules have been collected."""
    for entry in _ENTRIES:
        if entry.is_of(dispatcher):
            entry.close()


def of_wrapper(dispatcher: Dispatcher) -> dict[str, Any]:
    """The report of one wrapper; plain values only."""
    return {
        "class": dispatcher.name,
        "modules": list(dispatcher.modules),
        "signatures": [_of_plan(plan) for plan in dispatcher.plans()],
    }


def of_process() -> dict[str, Any]:
    """The report of every wrapper that this process made."""
    return {"version": 1, "wrappers": [entry.row() for entry in _ENTRIES]}


def write() -> None:
    """Writes the report to `$ORTWRAP_REPORT`, whole or not at all; does nothing without it."""
    path = settings.read().report
    # A worker that was forked, or never called a wrapper, has nothing to say.
    if path is None or os.getpid() != _PROCESS:
        return
    content = of_process()
    if any(wrapper["signatures"] for wrapper in content["wrappers"]):
        _replace(path, json.dumps(content, indent=2) + "\n")


def _of_plan(plan: Plan) -> dict[str, Any]:
    row: dict[str, Any] = {
        "signature": plan.signature,
        "backend": plan.backend,
        "reason": None,
        "place": None,
        "calls": plan.calls,
        "ort_calls": 0,
        "eager_calls": {},
        "export_seconds": None,
        "loss_in_graph": False,
        "proved_in_double": False,
        "left_out": None,
        "label_sparsity": None,
        "label_density": None,
        "label_densities": [],
    }
    if not isinstance(plan, GraphPlan):
        row.update(reason=plan.reason.text, place=plan.reason.place)
        row["eager_calls"] = {plan.reason.text: plan.calls}
        return row
    row.update(
        ort_calls=plan.calls - sum(plan.eager_calls.values()),
        eager_calls=dict(plan.eager_calls),
        export_seconds=round(plan.graph.seconds, 3),
        loss_in_graph=plan.outputs.scalar_loss,
        proved_in_double=plan.proved_in_double,
        left_out=plan.graph.left_out or None,
        label_sparsity=_sparsity(plan),
        label_density=plan.label_density,
        label_densities=[list(each) for each in plan.densities],
    )
    return row


def _sparsity(plan: GraphPlan) -> str | None:
    if plan.gathers:
        return "on"
    return "off" if plan.uses else None


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
