"""Curves and distributions as SVG that follows the page's colours, each with its numbers."""

# matplotlib comes with the extra `report`.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import io
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Stand-ins that become the colours of the page, light or dark, once the picture is text.
_INK, _FAINT, _ORIGINAL, _PATCHED = "#010203", "#040506", "#070809", "#0a0b0c"
_ON_PAGE = {
    _INK: "var(--ink)",
    _FAINT: "var(--faint)",
    _ORIGINAL: "var(--original)",
    _PATCHED: "var(--patched)",
}
_SIZE = (7.2, 2.7)


@dataclass(frozen=True)
class Chart:
    """A picture and the table that says the same in numbers.

    Attributes:
        title: what it shows.
        svg: the picture, without an XML declaration.
        summary: one sentence for who cannot see it.
        headings: of the table.
        rows: of the table.
    """

    title: str
    svg: str
    summary: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def loss_chart(original: Sequence[float], patched: Sequence[float]) -> Chart:
    """Loss of every backward on both sides, and their difference on a log axis."""
    figure, (above, below) = _figure(2)
    numbers = range(1, len(original) + 1)
    above.plot(numbers, original, color=_ORIGINAL, linewidth=2.6, alpha=0.55, label="original")
    above.plot(
        range(1, len(patched) + 1), patched, color=_PATCHED, linewidth=1.2, ls="--", label="patched"
    )
    above.set_ylabel("loss")
    above.legend(frameon=False, labelcolor=_INK)
    differences = [abs(a - b) for a, b in zip(original, patched)]
    # A log axis has no place for the losses that are equal to the last digit.
    unequal = [(n, d) for n, d in enumerate(differences, start=1) if d > 0]
    below.set_yscale("log")
    below.plot([n for n, _ in unequal], [d for _, d in unequal], color=_INK, marker=".", ls="")
    below.set_xlim(above.get_xlim())
    below.set_ylabel("difference")
    below.set_xlabel("backward")
    largest = max(differences, default=0.0)
    equal = len(differences) - len(unequal)
    rows = [
        (str(number), f"{a:.8g}", f"{b:.8g}", f"{abs(a - b):.1e}")
        for number, (a, b) in enumerate(zip(original, patched), start=1)
    ]
    return Chart(
        "Loss of every backward",
        _svg(figure),
        f"The two loss curves lie on one another to within {largest:.1e}; "
        f"{equal} of {len(differences)} losses are equal to the last digit.",
        ("backward", "original", "patched", "difference"),
        tuple(rows),
    )


def time_chart(sides: Sequence[tuple[str, Sequence[float]]], warm_up: int) -> Chart:
    """Milliseconds of every step: its course, and its distribution after the warm-up.

    Args:
        sides: name and steps of each side, at most two.
        warm_up: how many first steps are left out of the distribution.
    """
    figure, (course, spread) = _figure(2)
    colours = (_ORIGINAL, _PATCHED)
    for colour, (name, steps) in zip(colours, sides):
        numbers = range(1, len(steps) + 1)
        course.semilogy(numbers, steps, color=colour, marker=".", lw=1, label=name)
    course.axvspan(0.5, warm_up + 0.5, color=_FAINT, alpha=0.3, linewidth=0)
    course.set_ylabel("ms")
    course.set_xlabel("step (shaded: warm-up, not counted)")
    course.legend(frameon=False, labelcolor=_INK)
    for row, (colour, (_, steps)) in enumerate(zip(colours, sides)):
        counted = steps[warm_up:] or steps
        spread.scatter(counted, [row] * len(counted), color=colour, s=14, alpha=0.5)
        spread.vlines(statistics.median(counted), row - 0.3, row + 0.3, color=colour, linewidth=2.5)
    spread.set_yticks(range(len(sides)), [name for name, _ in sides])
    spread.set_ylim(len(sides) - 0.5, -0.5)
    spread.set_xlabel("ms per step after the warm-up (bar: median)")
    rows = [
        (str(number), *(f"{steps[number - 1]:.4g}" for _, steps in sides))
        for number in range(1, min(len(steps) for _, steps in sides) + 1)
    ]
    return Chart(
        "Time of every step",
        _svg(figure),
        "Time of each step on both sides, and how it spreads after the warm-up.",
        ("step", *(f"{name}, ms" for name, _ in sides)),
        tuple(rows),
    )


def _figure(rows: int) -> tuple[Figure, Sequence[Axes]]:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(_SIZE[0], _SIZE[1] * rows), layout="constrained")
    figure.patch.set_alpha(0)
    panels = [figure.add_subplot(rows, 1, row + 1) for row in range(rows)]
    for axes in panels:
        axes.patch.set_alpha(0)
        axes.tick_params(colors=_INK, which="both")
        axes.xaxis.label.set_color(_INK)
        axes.yaxis.label.set_color(_INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color=_FAINT, alpha=0.4, linewidth=0.6)
        for side, spine in axes.spines.items():
            spine.set_color(_FAINT)
            spine.set_visible(side in ("left", "bottom"))
    return figure, panels


def _svg(figure: Figure) -> str:
    import matplotlib as mpl

    buffer = io.StringIO()
    # Text stays text: it can be searched, read aloud, and takes the font of the page.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ortwrap", "font.size": 10}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    for stand_in, on_page in _ON_PAGE.items():
        svg = svg.replace(stand_in, on_page)
    return re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r' height="\S+pt"', "", svg, count=1)
    )
