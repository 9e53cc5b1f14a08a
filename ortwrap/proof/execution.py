"""What ran where on the patched side: read from autograd graphs and from the runtime's report."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from ortwrap.proof.recording import Recording
from ortwrap.proof.verdict import COMPARISON, Backend, Execution, WrapperReport


def read_reports(folder: Path) -> tuple[WrapperReport, ...]:
    """Every signature in the reports below `folder`; nothing where none was written."""
    # The runtime puts the rank of a distributed run behind the name it is given.
    paths = sorted(folder.glob("[!.]*.report*"))
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return tuple(
        report
        for content in contents
        for wrapper in content.get("wrappers", ())
        for report in _signatures(wrapper)
    )


def _signatures(wrapper: dict[str, Any]) -> Iterable[WrapperReport]:
    name = wrapper.get("class", "the wrapper")
    signatures = wrapper.get("signatures", ())
    if not signatures:
        yield WrapperReport(name, None)
    for signature in signatures:
        known = {
            field: signature[field]
            for field in WrapperReport.__dataclass_fields__
            if field in signature
        }
        known["label_densities"] = tuple(map(tuple, signature.get("label_densities", ())))
        yield WrapperReport(**{"backend": None, **known, "wrapper": name})


def read_execution(
    recordings: Sequence[Recording],
    reports: Sequence[WrapperReport],
    untouched: Sequence[str] = (),
) -> Execution:
    """Put together what executed.

    Args:
        recordings: the patched side's processes.
        reports: what its wrappers say.
        untouched: why steps of the script were left as they are, one clause each.
    """
    called = [report for report in reports if report.calls]
    on_ort = [report for report in called if report.backend == "ort"]
    compared = sum(report.compared_calls for report in called)
    backend = _backend(recordings, called, compared)
    return Execution(
        ran_on=backend,
        reasons=() if backend == "ort" else _reasons(recordings, called, compared, untouched),
        compared_calls=compared,
        loss_in_graph=_loss_in_graph(recordings, on_ort),
        label_sparsity=_sparsity(on_ort),
        label_density=_density(called),
        export_seconds=sum(r.export_seconds or 0.0 for r in reports) if reports else None,
        exports=sum(r.export_seconds is not None for r in reports),
        label_densities=_densities(called),
        wrappers=tuple(called),
    )


def _backend(
    recordings: Sequence[Recording], called: Sequence[WrapperReport], compared: int
) -> Backend | None:
    """The autograd graph of every loss tells; a script without a backward, only its report.

    A backward that ran eagerly because the runtime compares a new graph with eager is part of
    running on ONNX Runtime.
    """
    if not recordings:
        return None
    seen = [flag for recording in recordings for flag in recording.loss_on_ort]
    if not seen:
        seen = [report.backend == "ort" for report in called]
    if not any(seen):
        return "eager"
    return "ort" if seen.count(False) <= compared else "mixed"


def _reasons(
    recordings: Sequence[Recording],
    called: Sequence[WrapperReport],
    compared: int,
    untouched: Sequence[str],
) -> tuple[str, ...]:
    eager: Counter[tuple[str, str]] = Counter()
    for report in called:
        for reason, calls in report.eager_calls.items():
            if calls and not reason.endswith(COMPARISON):
                eager[report.wrapper, reason] += calls
    reasons = [f"{name}, {_times(calls)}: {why}" for (name, why), calls in eager.items()]
    reasons += untouched
    return tuple(reasons) or (_unsaid(recordings, called, compared),)


def _unsaid(recordings: Sequence[Recording], called: Sequence[WrapperReport], compared: int) -> str:
    """Why something ran eagerly where no wrapper and no refusal says it."""
    if not called and not any(any(recording.loss_on_ort) for recording in recordings):
        return "the patched script never called its wrapper"
    eagerly = sum(recording.loss_on_ort.count(False) for recording in recordings)
    backwards = sum(len(recording.loss_on_ort) for recording in recordings)
    if eagerly <= compared:
        return (
            "the first call of each kind runs eagerly, to compare its new graph with, and no "
            "second one came: more --steps show whether ONNX Runtime takes over"
        )
    return (
        f"{eagerly - compared} of {backwards} backwards come from no wrapper that reported: from "
        "code that was not rewritten, or from a process that was forked"
    )


def _times(calls: int) -> str:
    return "1 call" if calls == 1 else f"{calls} calls"


def _loss_in_graph(recordings: Sequence[Recording], on_ort: Sequence[WrapperReport]) -> bool:
    seen = [
        in_graph
        for recording in recordings
        for in_graph, by_ort in zip(recording.loss_in_graph, recording.loss_on_ort)
        if by_ort
    ]
    said = [report.loss_in_graph for report in on_ort if report.loss_in_graph is not None]
    return bool(seen or said) and all(seen) and all(said)


def _sparsity(on_ort: Sequence[WrapperReport]) -> Literal["on", "off"] | None:
    said = {report.label_sparsity for report in on_ort} - {None}
    if not said:
        return None
    return "on" if "on" in said else "off"


def _densities(called: Sequence[WrapperReport]) -> tuple[float, ...]:
    """Batch by batch; of several processes or wrappers the batches of one time side by side."""
    noted = sorted(pair for report in called for pair in report.label_densities)
    return tuple(density for _, density in noted)


def _density(called: Sequence[WrapperReport]) -> float | None:
    """Mean over calls."""
    weighed = [(r.calls, r.label_density) for r in called if r.label_density is not None]
    total = sum(calls for calls, _ in weighed)
    return sum(calls * density for calls, density in weighed) / total if total else None
