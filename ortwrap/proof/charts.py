"""Curves and distributions as SVG that follows the page's colours, each with its numbers."""

# matplotlib comes with the extra `report`.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import io
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ortwrap.proof.figures import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Stand-ins that become the colours of the page, light or dark, once the picture is text.
_INK, _GRID, _ORIGINAL, _PATCHED, _THIRD, _FOURTH = (f"#0{i}0{i}0{i}" for i in range(1, 7))
_ON_PAGE = {
    _INK: "var(--ink)",
    _GRID: "var(--grid)",
    _ORIGINAL: "var(--original)",
    _PATCHED: "var(--patched)",
    _THIRD: "var(--third)",
    _FOURTH: "var(--fourth)",
}
# Small, so that the letters are large enough on a phone.
_WIDTH, _HEIGHT = 5.0, 2.7
_FONT = 10


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


def loss_chart(
    original: Sequence[float], patched: Sequence[float], kinds: Sequence[int] = ()
) -> Chart:
    """Loss of every backward on both sides.

    Args:
        original: losses of the original.
        patched: losses of the patched script.
        kinds: which of several losses that take turns each one is, as of a GAN: each is a line.
    """
    figure, axes = _figure()
    lines = [
        [n for n in range(len(original)) if not kinds or kinds[n] == kind]
        for kind in sorted(set(kinds)) or [0]
    ]
    sides = ((original, _ORIGINAL, 4.0, "original"), (patched, _PATCHED, 1.4, "patched"))
    for losses, colour, width, label in sides:
        for place, line in enumerate(lines):
            drawn = [n for n in line if n < len(losses)]
            axes.plot([n + 1 for n in drawn], [losses[n] for n in drawn], color=colour,
                      linewidth=width, label=None if place else label,
                      marker="o" if len(drawn) < 2 else None)  # fmt: skip
    axes.set_ylabel("loss")
    axes.set_xlabel("backward")
    _legend_above(axes)
    pairs = list(zip(original, patched))
    rows = [(str(n), f"{a:.8g}", f"{b:.8g}") for n, (a, b) in enumerate(pairs, start=1)]
    turns = f", of {len(lines)} kinds that take turns, a line each" if len(lines) > 1 else ""
    courses = (
        " and ".join(
            f"from {losses[drawn[0]]:.4g} to {losses[drawn[-1]]:.4g}"
            for line in lines
            if (drawn := [n for n in line if n < len(losses)])
        )
        for losses in (original, patched)
    )
    return Chart(
        "Loss of every backward",
        _svg(figure),
        f"{len(pairs)} losses on both sides{turns}; the original's go {next(courses)}, "
        f"the patched script's {next(courses)}.",
        ("backward", "original", "patched"),
        tuple(rows),
    )


def difference_chart(
    original: Sequence[float], patched: Sequence[float], allowed: Sequence[float]
) -> Chart:
    """How far the losses lie apart, on a log axis, beside what they may differ by.

    Args:
        original: losses of the original.
        patched: losses of the patched script.
        allowed: the tolerance of each.
    """
    figure, axes = _figure()
    differences = [abs(a - b) for a, b in zip(original, patched)]
    # A log axis has no place for the losses that are equal to the last digit.
    unequal = [(n, d) for n, d in enumerate(differences, start=1) if d > 0]
    axes.set_yscale("log")
    numbers = range(1, len(differences) + 1)
    axes.plot(numbers, allowed[: len(differences)], color=_THIRD, lw=1.4, ls="--",
              label="tolerance")  # fmt: skip
    axes.plot([n for n, _ in unequal], [d for _, d in unequal], color=_PATCHED, marker="o",
              markersize=4, ls="", label="difference")  # fmt: skip
    axes.set_xlim(0.5, max(len(differences), 1) + 0.5)
    axes.set_ylabel("|original - patched|")
    axes.set_xlabel("backward")
    _legend_above(axes)
    largest = max(differences, default=0.0)
    equal = len(differences) - len(unequal)
    rows = [
        (str(n), f"{d:.1e}", f"{most:.1e}")
        for n, (d, most) in enumerate(zip(differences, allowed), start=1)
    ]
    return Chart(
        "Difference of the losses",
        _svg(figure),
        f"The losses lie within {largest:.1e} of one another; "
        f"{equal} of {len(differences)} losses are equal to the last digit and have no dot.",
        ("backward", "difference", "tolerance"),
        tuple(rows),
    )


def course_chart(sides: Sequence[tuple[str, Sequence[float]]], warm_up: int) -> Chart:
    """Milliseconds of every step, one after another.

    Args:
        sides: name and steps of each way to run.
        warm_up: how many first steps are not counted elsewhere; 0 when they are left out here.
    """
    figure, axes = _figure()
    for colour, (name, steps) in zip(_colours(sides), sides):
        axes.semilogy(range(1, len(steps) + 1), steps, color=colour, marker=".", lw=1, label=name)
    axes.set_xlabel("step (shaded: warm-up, not counted)" if warm_up else "step of all runs")
    if warm_up:
        axes.axvspan(0.5, warm_up + 0.5, color=_GRID, alpha=0.35, linewidth=0)
    axes.set_ylabel("ms")
    _say_plainly(axes)
    _legend_above(axes)
    shortest = min(len(steps) for _, steps in sides)
    rows = [(str(n), *(short(steps[n - 1]) for _, steps in sides)) for n in range(1, shortest + 1)]
    summary = "The measured steps of all runs, one run after another; the warm-up is left out."
    if warm_up:
        summary = f"The first {warm_up} of {shortest} steps warm up: exports, compilation, caches."
    return Chart(
        "Time of every step",
        _svg(figure),
        summary,
        ("step", *(f"{name}, ms" for name, _ in sides)),
        tuple(rows),
    )


def spread_chart(sides: Sequence[tuple[str, Sequence[float]]]) -> Chart:
    """How the times of steps are distributed.

    Args:
        sides: name and steps of each way to run, the warm-up left out; at most four.
    """
    figure, axes = _figure(_HEIGHT * (0.55 + 0.2 * len(sides)))
    for row, (colour, (_, steps)) in enumerate(zip(_colours(sides), sides)):
        low, middle, high = _quartiles(steps)
        axes.barh(row, high - low, left=low, height=0.5, color=colour, alpha=0.25, linewidth=0)
        jitter = [row + 0.18 * ((7 * n) % 5 - 2) / 2 for n in range(len(steps))]
        axes.scatter(steps, jitter, color=colour, s=9, alpha=0.7, linewidths=0)
        axes.vlines(middle, row - 0.33, row + 0.33, color=colour, linewidth=2.4)
    axes.set_yticks(range(len(sides)), [name for name, _ in sides])
    axes.set_ylim(len(sides) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("ms per step (line: median, box: half of all steps)")
    rows = [
        (name, str(len(steps)), *(short(value) for value in (min(steps), *_quartiles(steps),
                                                              max(steps))))
        for name, steps in sides
    ]  # fmt: skip
    medians = "; ".join(f"{name} {short(_quartiles(steps)[1])} ms" for name, steps in sides)
    return Chart(
        "Distribution of step times",
        _svg(figure),
        f"Medians after the warm-up: {medians}.",
        ("", "steps", "least", "lower quartile", "median", "upper quartile", "most"),
        tuple(rows),
    )


def density_chart(densities: Sequence[float], threshold: float) -> Chart:
    """Share of labels that count, batch by batch.

    Args:
        densities: the share in each batch.
        threshold: the share from which on dropping ignored labels is not worth it.
    """
    figure, axes = _figure()
    axes.axhline(100 * threshold, color=_THIRD, lw=1.4, ls="--", label="sparsity stays off above")
    axes.plot(range(1, len(densities) + 1), [100 * d for d in densities], color=_PATCHED,
              marker="o", markersize=4, lw=1.2, label="valid labels")  # fmt: skip
    axes.set_ylim(0, 105)
    axes.set_ylabel("% of labels")
    axes.set_xlabel("batch on ONNX Runtime")
    _legend_above(axes)
    low, high = (f"{100 * density:.3g}" for density in (min(densities), max(densities)))
    share = f"{low} %" if low == high else f"Between {low} and {high} %"
    return Chart(
        "Density of the labels",
        _svg(figure),
        f"{share} of the labels of a batch are not ignored.",
        ("batch", "valid labels, %"),
        tuple((str(n), f"{100 * d:.3g}") for n, d in enumerate(densities, start=1)),
    )


def _legend_above(axes: Any) -> None:
    """Names of the lines where no line runs."""
    axes.legend(
        frameon=False, labelcolor=_INK, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2,
        borderaxespad=0.2, handlelength=1.4, columnspacing=1.2,
    )  # fmt: skip


def _say_plainly(axes: Axes) -> None:
    """Label a log axis with numbers as people write them: 100, 200, 500, 1000."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    plain = FuncFormatter(lambda value, place: f"{value:g}")
    axes.yaxis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
    axes.yaxis.set_major_formatter(plain)
    axes.yaxis.set_minor_formatter(plain)


def _colours(sides: Sequence[object]) -> tuple[str, ...]:
    """Grey for what is compared with, blue for ortwrap, others between them."""
    return (_ORIGINAL, *(_THIRD, _FOURTH)[: len(sides) - 2], _PATCHED)


def _quartiles(steps: Sequence[float]) -> tuple[float, float, float]:
    if len(steps) < 2:
        return steps[0], steps[0], steps[0]
    low, middle, high = statistics.quantiles(steps, n=4, method="inclusive")
    return low, middle, high


def _figure(height: float = _HEIGHT) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    axes.tick_params(colors=_INK, which="both", length=0)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    axes.grid(color=_GRID, alpha=0.7, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_color(_GRID)
        spine.set_visible(side in ("left", "bottom"))
    return figure, axes


def _svg(figure: Figure) -> str:
    import matplotlib as mpl

    buffer = io.StringIO()
    # Text stays text: it can be searched, read aloud, and takes the font of the page.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ortwrap", "font.size": _FONT}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    # Names of groups, the same in every picture of a page; nothing refers to them.
    svg = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", svg)
    for stand_in, on_page in _ON_PAGE.items():
        svg = svg.replace(stand_in, on_page)
    return re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r' height="\S+pt"', "", svg, count=1)
    )
