"""What became of one file: patched, left as it was, or why it could not be handled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ortwrap.engine.result import Result, Step
from ortwrap.source import Source

OutcomeStatus = Literal["rewritten", "unchanged", "refused", "error"]


@dataclass(frozen=True)
class Fault:
    """Why a file could not be handled, and where.

    Attributes:
        message: what is wrong and, where there is something to do, what.
        line: 1-based line, None when the fault has no place in the text.
        column: 1-based column, None likewise.
    """

    message: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True)
class Outcome:
    """One file after the engine; either `result` or `fault` is set, never both.

    Attributes:
        path: the file, named as the user named it.
        source: its text and encoding; None when it could not be read.
        result: what the engine gave back; None when there is a fault.
        original: the bytes of the file itself.
        patched: the bytes to write, those of the file itself unless rewritten.
        fault: None unless the file could not be handled.
        target: where the patched bytes belong; None for the file itself.
        fresh: what stands in `target` is what belongs there already.
        unkept: why the cache did not take the original before it was replaced, empty if it did.
        script_lines: the line of each step in all code cells of a notebook together, by which
            `Options.leave` knows it; empty for scripts, where that is the step's own line.
    """

    path: str
    source: Source | None = None
    result: Result | None = None
    original: bytes = b""
    patched: bytes = b""
    fault: Fault | None = None
    target: str | None = None
    fresh: bool = False
    unkept: str = ""
    script_lines: tuple[int, ...] = ()

    def without_text(self) -> Outcome:
        """The same without the texts, for runs over more files than memory should hold."""
        result = None if self.result is None else replace(self.result, source="", text="")
        return replace(self, source=None, result=result, original=b"", patched=b"")

    @property
    def pending(self) -> bool:
        """Whether there is something to write for this file."""
        return self.status == "rewritten" and not self.fresh

    @property
    def status(self) -> OutcomeStatus:
        """`rewritten` when at least one step is; `error` when there is a fault."""
        return "error" if self.result is None else self.result.status

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every training step of the file; empty when it could not be handled."""
        return () if self.result is None else self.result.steps

    @property
    def rewritten_by_line(self) -> dict[int, Step]:
        """The rewritten steps by the lines that `Options.leave` knows them by."""
        lines = self.script_lines or tuple(step.line for step in self.steps)
        return {line: step for line, step in zip(lines, self.steps) if step.status == "rewritten"}

    @property
    def unused_skips(self) -> tuple[int, ...]:
        """Lines of `# ortwrap: skip` comments that speak of no training step."""
        return () if self.result is None else self.result.unused_skips

    @property
    def refused(self) -> tuple[Step, ...]:
        """The training steps that were left as they are, each with its code."""
        return tuple(step for step in self.steps if step.status == "refused")

    @property
    def rewritten(self) -> tuple[Step, ...]:
        """The training steps that go through a generated class now."""
        return tuple(step for step in self.steps if step.status == "rewritten")
