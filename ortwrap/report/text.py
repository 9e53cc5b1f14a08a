"""Outcomes as lines for people: `train.py:41: OW201 reason. advice`, and a summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ortwrap.engine.result import Step
from ortwrap.outcome import Outcome

UNUSED_SKIP = "this `# ortwrap: skip` speaks of no training step; remove it or move it."


def step_message(step: Step) -> str:
    """What was done with a step or why not, and what the user can do about it."""
    return f"{_sentence(step.message)} {_sentence(step.advice)}".strip()


def finding_message(step: Step) -> str:
    """What a program that reviews code is told of a step: what can be done, or why not."""
    if step.status == "rewritten":
        rewrite = "this training step can be rewritten: ortwrap rewrite --write"
        return f"{rewrite}. {_sentence(step.advice)}" if step.advice else rewrite
    return step_message(step)


def note_lines(outcome: Outcome) -> Iterable[str]:
    """One line for each step that is rewritten though something else is to be done first."""
    for step in outcome.rewritten:
        if step.advice:
            yield f"{outcome.path}:{step.line}: note: {_sentence(step.advice)}"


def problem_lines(outcome: Outcome) -> Iterable[str]:
    """One line for the error of a file, or for each refused step and each unused comment."""
    if outcome.fault is not None:
        fault = outcome.fault
        parts = (outcome.path, fault.line, fault.column)
        place = ":".join(str(part) for part in parts if part is not None)
        yield f"{place}: error: {fault.message}"
    for step in outcome.refused:
        yield f"{outcome.path}:{step.line}: {step.code} {step_message(step)}"
    for line in outcome.unused_skips:
        yield f"{outcome.path}:{line}: {UNUSED_SKIP}"


def step_lines(outcome: Outcome) -> Iterable[str]:
    """One line for each step that was not refused."""
    for step in outcome.steps:
        if step.status != "refused":
            yield f"{outcome.path}:{step.line}: {step.status}: {step_message(step)}"


def evidence_lines(outcome: Outcome) -> Iterable[str]:
    """What counts as a model or a loss function in each step, and why."""
    for step in outcome.steps:
        if step.status != "skipped":
            for reason in step.evidence or ("nothing counts as a model or a loss function",):
                yield f"{outcome.path}:{step.line}: evidence: {reason}"


def pending_line(outcome: Outcome) -> str:
    """What `--check` found to be done for a file."""
    if outcome.target is not None:
        return f"{outcome.target}: is missing or stale: it is generated from {outcome.path}"
    return f"{outcome.path}: would be rewritten"


def unchanged_line(outcome: Outcome) -> str:
    """Why nothing is to be done in a file, when it is the only one asked about."""
    if outcome.steps:
        return f"{outcome.path}: nothing to rewrite: {step_message(outcome.steps[0])}"
    return f"{outcome.path}: no training step found"


def summary(outcomes: Sequence[Outcome], *, written: bool) -> str:
    """One line for a whole run; `written` tells what was done from what would be."""
    changed = [outcome for outcome in outcomes if outcome.pending]
    faults = sum(outcome.fault is not None for outcome in outcomes)
    steps = sum(len(outcome.rewritten) for outcome in changed)
    refused = sum(len(outcome.refused) for outcome in outcomes)
    parts = []
    if changed:
        verb = "rewrote" if written else "would rewrite"
        parts.append(f"{verb} {count(steps, 'step')} in {count(len(changed), 'file')}")
    if refused:
        parts.append(f"{count(refused, 'step')} refused")
    unchanged = len(outcomes) - len(changed) - faults
    if unchanged:
        parts.append(f"{count(unchanged, 'file')} left unchanged")
    if faults:
        parts.append(count(faults, "error"))
    line = ", ".join(parts) + "."
    return line[0].upper() + line[1:]


def unkept_lines(outcomes: Sequence[Outcome]) -> Iterable[str]:
    """What cannot be taken back, in one line for a whole run."""
    unkept = [outcome for outcome in outcomes if outcome.unkept and outcome.fault is None]
    if unkept:
        them = "it" if len(unkept) == 1 else "them"
        yield (
            f"--revert cannot bring back {count(len(unkept), 'original')}: the cache did not "
            f"take {them} ({unkept[0].unkept}). ORTWRAP_CACHE names another one."
        )


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text}." if text and text[-1] not in ".!?:" else text
