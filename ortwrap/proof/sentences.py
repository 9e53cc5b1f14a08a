"""A verdict in one sentence, for a terminal and for the head of a report."""

from __future__ import annotations

from ortwrap.proof.figures import count, number, share_of_time
from ortwrap.proof.verdict import Difference, Verdict


def plain_line(verdict: Verdict) -> str:
    """The verdict in one line without colours, `match: 20 steps; ran_on: ort; ...`."""
    if verdict.status == "error":
        return f"error: {verdict.messages[-1] if verdict.messages else 'could not run'}"
    if verdict.status == "mismatch":
        return f"mismatch: {_first_difference(verdict)}"
    clauses = [
        count(verdict.steps, "step"),
        *(f"{label}: {value}" for label, value in evidence(verdict)),
        f"largest difference {number(largest_difference(verdict))}{_noise(verdict)}",
    ]
    ratio = _speed(verdict)
    if ratio:
        clauses.append(f"a step takes {ratio}")
    return f"match: {'; '.join(clauses)}"


def in_words(verdict: Verdict) -> str:
    """The verdict for whoever opens a report: what it means, then what it cost."""
    if verdict.status != "match":
        return plain_line(verdict).partition(": ")[2]
    ran = verdict.execution
    same = (
        f"Both scripts train the same: after {count(verdict.steps, 'step')} no loss, weight or "
        f"buffer is further apart than {number(largest_difference(verdict))}{_noise(verdict)}."
    )
    if ran.ran_on == "ort":
        graph = "with" if ran.loss_in_graph else "without"
        where = f"The patched one ran on ONNX Runtime, {graph} its loss inside the graph"
    elif ran.ran_on == "mixed":
        where = f"Part of the patched one ran eagerly ({'; '.join(ran.reasons)})"
    else:
        where = f"The patched one ran eagerly, though ({'; '.join(ran.reasons)})"
    ratio = _speed(verdict)
    return f"{same} {where}{f'; a step took {ratio}' if ratio else ''}."


def _first_difference(verdict: Verdict) -> str:
    first = verdict.first_difference
    if first is None:
        return verdict.messages[-1] if verdict.messages else "the runs differ"
    if first.what == "steps" and first.step:
        return first.likely_cause
    what = what_differs(first)
    when = f"at step {first.step}" if first.step else f"after {count(verdict.steps, 'step')}"
    where = f" in process {first.rank}" if names_a_process(verdict) else ""
    became = "" if first.original is first.patched is None else " became ".join(values(first))
    lines = "".join(f", {label} `{text}`" for label, text in printed_lines(verdict))
    found = f"{what} {when}{where}: {became}{lines}".rstrip(": ")
    return f"{found}{'; ' if became else ': '}{first.likely_cause}"


def names_a_process(verdict: Verdict) -> bool:
    """Whether the first difference is one of several processes; of steps, the cause names it."""
    first = verdict.first_difference
    return verdict.processes > 1 and first is not None and first.what != "steps"


def largest_difference(verdict: Verdict) -> float | None:
    sizes = (verdict.max_loss_diff, verdict.max_param_diff, verdict.max_buffer_diff)
    known = [size for size in sizes if size is not None]
    return max(known) if known else None


def _noise(verdict: Verdict) -> str:
    if not verdict.within_noise:
        return ""
    return " (rounding: the original nudged by its last digits differs from itself as much)"


def _speed(verdict: Verdict) -> str:
    ratio = verdict.ratio
    if ratio is None or verdict.busy:
        return ""
    return share_of_time(ratio, "the original's")


def evidence(verdict: Verdict) -> list[tuple[str, str]]:
    """What ran, in the words of the JSON, so that both can be searched for the same.

    Without a loss over labels in the graph there is nothing to say of their sparsity.
    """
    ran = verdict.execution
    in_graph = {True: "true", False: "false", None: "unknown"}[ran.loss_in_graph]
    known = [("ran_on", ran.ran_on or "unknown"), ("loss_in_graph", in_graph)]
    return known + ([("label_sparsity", ran.label_sparsity)] if ran.label_sparsity else [])


def what_differs(first: Difference) -> str:
    """What was compared, and what it is called; words of the script's own in quotes."""
    if first.what == "mode":
        return f"mode of {first.name}"
    if first.what == "printed":
        return f"printed `{first.name}`"
    return f"{first.what} {first.name}".strip()


def values(first: Difference) -> tuple[str, str]:
    """What differs, on both sides."""
    if first.what == "mode":
        modes = {1.0: "training", 0.0: "evaluation"}
        return modes[first.original or 0.0], modes[first.patched or 0.0]
    return number(first.original), number(first.patched)


def printed_lines(verdict: Verdict) -> list[tuple[str, str]]:
    """The lines in which a printed number is the first difference."""
    if verdict.first_difference is None or verdict.first_difference.what != "printed":
        return []
    differing = (pair for pair in verdict.printed_pairs if pair.differs)
    return [
        row
        for pair in list(differing)[:1]
        for row in (("original printed", pair.line), ("patched printed", pair.patched_line))
    ]
