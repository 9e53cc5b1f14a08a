"""Losses and scores that a script prints, as its evaluation does, read off its output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LOSSES = r"loss|perplexity|ppl|nll|bpc|elbo|kld?|mse|rmse|mae|bce"
_SCORES = (
    r"accuracy|acc|prec(?:ision)?|recall|f1|auc|auroc|m?iou|dice|bleu|rouge|psnr|ssim|wer|cer|"
    r"err(?:or)?|score|top-?[15]|correct"
)
_NUMBER = r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?"
# "accuracy of the network on the 10000 test images: 97 %" has its number behind the colon.
_PRINTED = re.compile(
    rf"(?P<label>\b[\w ./-]{{0,30}}?\b_?(?:\w+_)?(?:(?P<loss>{_LOSSES})|(?P<score>{_SCORES}))"
    rf"(?:es|_\w+|\d+)?(?:@\d+)?)\b[\"'\])]*"
    rf"(?(score)(?:[\w ,.()-]{{1,60}}[:=])?)\s*(?:[:=|(]|\bis\b|\bof\b)?\s*"
    rf"(?P<number>{_NUMBER})(?(loss)(?![\w.]*[\w/%])|(?![\d.]*[A-Za-z_]))",
    re.IGNORECASE,
)
# What a line must hold to tell of any, so that a million others cost next to nothing.
_TELLING = re.compile(rf"{_LOSSES}|{_SCORES}".encode(), re.IGNORECASE)
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LONGEST_LINE = 1_000
_MOST = 10_000
# So much of a long line is repeated on either side of what it tells.
_BESIDE = 50


@dataclass(frozen=True)
class Printed:
    """One loss or score in the output.

    Attributes:
        label: the words before it, `Test set: Average loss`, without numbers that change.
        value: the number.
        resolution: what one unit of its last digit stands for.
        line: the line that it is in, or of a long one what stands around it.
        is_score: it counts answers, as an accuracy does, so that one that is decided by a hair
            moves it by a whole step.
    """

    label: str
    value: float
    resolution: float
    line: str = ""
    is_score: bool = False


class PrintedLosses:
    """Collects losses and scores from output that comes in pieces."""

    def __init__(self) -> None:
        self._found: list[Printed] = []
        self._rest = b""
        self._overlong = False

    def feed(self, chunk: bytes) -> None:
        """Take the next piece."""
        whole, newline, rest = (self._rest + chunk).rpartition(b"\n")
        if newline:
            lines = whole.split(b"\n") if _TELLING.search(whole) else []
            # The first ends one whose beginning was too long to keep.
            for line in lines[self._overlong :]:
                self._found += _losses_on_screen(line)
            self._overlong = False
        # Of a progress bar only what it ends with stays.
        *overwritten, last, now = rest.rsplit(b"\r", 2) if rest.count(b"\r") > 1 else (rest, b"")
        if overwritten:
            rest = b"\r" + last + b"\r" + now
        self._overlong |= len(rest) > _LONGEST_LINE
        self._rest = b"" if self._overlong else rest
        del self._found[_MOST:]

    def all(self) -> tuple[Printed, ...]:
        """Everything so far; a line without its end counts as one, but for a progress bar."""
        # What a bar shows when its script is stopped depends on how fast it ran.
        return (*self._found, *(() if b"\r" in self._rest else _losses_on_screen(self._rest)))


def _losses_on_screen(line: bytes) -> Iterator[Printed]:
    """Those in what is left of a line after all that overwrote it."""
    kept = next((part for part in reversed(line.split(b"\r")) if part.strip()), b"")
    if len(kept) <= _LONGEST_LINE:
        yield from losses_in(_COLOURS.sub("", kept.decode("utf-8", "replace")))


def losses_in(line: str) -> Iterator[Printed]:
    """The losses and scores that one line tells of."""
    for match in _PRINTED.finditer(line):
        number = match["number"]
        mantissa, _, exponent = number.lower().partition("e")
        decimals = len(mantissa.partition(".")[2])
        yield Printed(
            _without_numbers(match["label"]),
            float(number),
            10.0 ** (int(exponent or 0) - decimals),
            _excerpt(line, match.start(), match.end()),
            is_score=match["score"] is not None,
        )


def _excerpt(line: str, start: int, end: int) -> str:
    """A line, or what is near a part of it where it is much longer."""
    before, after = line[:start], line[end:]
    if len(before) > 2 * _BESIDE:
        before = f"... {before[-_BESIDE:]}"
    if len(after) > 2 * _BESIDE:
        after = f"{after[:_BESIDE]} ..."
    return " ".join(f"{before}{line[start:end]}{after}".split())


def _without_numbers(label: str) -> str:
    """A label without the time of day or the number of an epoch, which are no part of its name."""
    words = label.split()
    return " ".join(word for word in words if not word.strip("./-").isdigit()) or label
