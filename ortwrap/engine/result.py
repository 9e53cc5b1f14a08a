"""What a rewrite gives back: the patched text and one row for every training step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

StepStatus = Literal["rewritten", "refused", "skipped"]
FileStatus = Literal["rewritten", "unchanged", "refused"]


class InvalidSource(ValueError):
    """The text is no Python that can be parsed.

    Attributes:
        line: 1-based line of the error.
        column: 1-based column of the error.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Step:
    """One training step of a file and what became of it.

    Attributes:
        line: 1-based line of the sink (`loss.backward()`) in the original text.
        function: qualified name of the enclosing function, None at module level.
        status: `rewritten`, `refused` or `skipped` (rewritten earlier, or told to skip).
        code: refusal code such as `OW201`; None unless refused.
        message: one sentence: what was done, or the reason of the refusal.
        advice: one sentence: what the user can do about a refusal; of a rewritten step, what will
            keep it off ONNX Runtime, as far as the sources tell; else empty.
        class_name: the generated class that this step calls; None unless rewritten.
        evidence: what counts as a model or a loss function in this step, and why.
    """

    line: int
    function: str | None
    status: StepStatus
    code: str | None
    message: str
    advice: str = ""
    class_name: str | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One place of the text that a rewrite changed, and the reason.

    Attributes:
        line: 1-based line of the original text, before which an insertion stands.
        why: a sentence without a full stop.
    """

    line: int
    why: str


@dataclass(frozen=True)
class Result:
    """The outcome for one source text.

    Attributes:
        source: the text as it was given.
        text: the patched text; equal to `source` unless a step was rewritten.
        steps: every training step, in the order of their lines.
        unused_skips: 1-based lines of `# ortwrap: skip` comments that speak of no training step.
        changes: why each changed place was changed, in the order of their lines.
    """

    source: str
    text: str
    steps: tuple[Step, ...]
    unused_skips: tuple[int, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def status(self) -> FileStatus:
        """`rewritten` when at least one step is, `refused` when one is and none is rewritten."""
        statuses = {step.status for step in self.steps}
        if "rewritten" in statuses:
            return "rewritten"
        return "refused" if "refused" in statuses else "unchanged"
