"""What someone who read a refused step of a public repository found.

`verdicts.txt` has one line for each step: where it is, what it is, and why. The kinds:

    right       a step of a module that is rightly left as it is
    open        a step that could be rewritten, and what that would take
    no module   no `nn.Module` takes part in the loss: there is nothing that ORTModule could train
    handed on   a function is given a loss; the step is computed, and counted, by who calls it
    test        a unit test or the self-test of a model's file: nothing is trained
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("verdicts.txt")
KINDS = ("right", "open", "no module", "handed on", "test")
# Kinds that are no step of a module, each with the codes under which such a thing is refused.
NO_STEPS = {
    "no module": frozenset({"OW101", "OW110", "OW116"}),
    "handed on": frozenset({"OW102"}),
    "test": frozenset({"OW116"}),
}


@dataclass(frozen=True)
class Verdict:
    """What one refused step was found to be.

    Attributes:
        kind: one of `KINDS`.
        why: why the refusal is right, or what would be needed.
    """

    kind: str
    why: str

    def is_no_step(self, code: str | None) -> bool:
        """Nothing to rewrite, which the reason of the refusal has to agree with."""
        return code in NO_STEPS.get(self.kind, frozenset())


def read(path: Path = FILE) -> dict[str, Verdict]:
    """The verdicts, each under `OWNER/NAME/path.py:line`."""
    return dict(_lines(path.read_text(encoding="utf-8")))


def _lines(text: str) -> Iterator[tuple[str, Verdict]]:
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        place, kind, why = (part.strip() for part in line.split("|", 2))
        if kind not in KINDS:
            raise ValueError(f"{place}: no such kind of verdict: {kind}")
        yield place, Verdict(kind, why)
