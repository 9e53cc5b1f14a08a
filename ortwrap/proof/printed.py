"""Losses that a script prints, as those of its evaluation, read off its output as it comes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NUMBER = r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?"
_PRINTED = re.compile(
    rf"(?P<label>\b[\w ./-]{{0,30}}?(?:loss|perplexity|ppl|nll|bpc|elbo)(?:es|_\w+|\d+)?)\b"
    rf"[\"'\])]*\s*(?:[:=|]|\bis\b|\bof\b)?\s*(?P<number>{_NUMBER})(?![\w.]*[\w/%])",
    re.IGNORECASE,
)
_LONGEST_LINE = 1_000
_MOST = 10_000


@dataclass(frozen=True)
class Printed:
    """One loss in the output.

    Attributes:
        label: the words before it, `Test set: Average loss`.
        value: the number.
        resolution: what one unit of its last digit stands for.
    """

    label: str
    value: float
    resolution: float


class PrintedLosses:
    """Collects losses from output that comes in pieces."""

    def __init__(self) -> None:
        self._found: list[Printed] = []
        self._rest = b""
        self._overlong = False

    def feed(self, chunk: bytes) -> None:
        """Take the next piece."""
        *lines, rest = (self._rest + chunk).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            if not self._overlong and len(line) <= _LONGEST_LINE:
                self._found += losses_in(line.decode("utf-8", "replace"))
            self._overlong = False
        self._overlong |= len(rest) > _LONGEST_LINE
        self._rest = b"" if self._overlong else rest
        del self._found[_MOST:]

    def all(self) -> tuple[Printed, ...]:
        """Everything so far; a line without its end counts as one."""
        return (*self._found, *losses_in(self._rest.decode("utf-8", "replace")))


def losses_in(line: str) -> Iterator[Printed]:
    """The losses that one line tells of."""
    for match in _PRINTED.finditer(line):
        number = match["number"]
        mantissa, _, exponent = number.lower().partition("e")
        decimals = len(mantissa.partition(".")[2])
        yield Printed(
            " ".join(match["label"].split()),
            float(number),
            10.0 ** (int(exponent or 0) - decimals),
        )
