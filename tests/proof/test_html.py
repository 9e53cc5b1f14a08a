"""The HTML report: complete in itself, and silent in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from pygments.lexers import PythonLexer
from pygments.styles import get_style_by_name
from pygments.token import Whitespace

from ortwrap.engine.templating import template_folder
from ortwrap.proof import html
from ortwrap.proof.charts import difference_chart, loss_chart
from ortwrap.proof.html import benchmark_report, html_report
from ortwrap.proof.measured import Benchmark, Measured
from ortwrap.proof.side_by_side import side_by_side
from ortwrap.proof.verdict import Difference, Execution, Side, Verdict, WrapperReport

EVERY_KIND = '''
import torch.nn as nn  # comment
@decorated
class Net(nn.Module):
    """Docs."""
    def __init__(self, rate=1e-3, *, deep=True):
        super().__init__()
        print(f"{rate:.2f}\\n", 'x', 12 and None, isinstance(self, int))
        raise ValueError from error
'''
STEPS = tuple(10.0 + step % 3 for step in range(20))
LOSSES = tuple(1 / (1 + step) for step in range(20))


@pytest.fixture
def report(tmp_path: Path) -> str:
    script, patched = tmp_path / "train.py", tmp_path / "patched.py"
    script.write_text('import torch\n"""<script>alert(1)</script>"""\nloss = f(x)\n')
    patched.write_text('import torch\n"""<script>alert(1)</script>"""\nloss = g(x)\n')
    verdict = Verdict(
        status="mismatch",
        script=str(script),
        steps=20,
        backwards=20,
        max_loss_diff=1e-3,
        max_param_diff=1e-3,
        noise={"loss": 1e-7},
        first_difference=Difference("loss", "", 3, 1.0, 2.0, 1.0, "<b>why</b>"),
        execution=Execution(
            ran_on="ort",
            loss_in_graph=True,
            label_density=0.15,
            label_densities=(0.14, 0.16),
            wrappers=(
                WrapperReport(
                    "ModuleWithLoss",
                    "ort",
                    "int64[4, 128]",
                    calls=20,
                    eager_calls={"<i>why</i>, to compare": 1},
                    export_seconds=2.5,
                ),
            ),
        ),
        original=Side(10.0, STEPS, LOSSES, 100.0),
        patched=Side(5.0, STEPS, LOSSES, 100.0),
    )
    return html_report(verdict, command="ortwrap verify train.py", patched=patched)


def test_it_needs_no_network_and_escapes_what_it_shows(report: str) -> None:
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)|url\(([^)]+)\)""", report)
    outside = [a or b for a, b in addresses if not (a or b).startswith(("#", "data:"))]
    assert outside == []
    assert "<script" not in report
    assert "<b>why" not in report


def test_it_says_everything(report: str) -> None:
    class Text(HTMLParser):
        text = ""

        def handle_data(self, data: str) -> None:
            self.text += data

    parser = Text()
    parser.feed(report)
    for expected in ("mismatch", "Density of the labels", "<i>why</i>", "int64[4, 128]",
                     "How far apart do two eager runs", "Distribution of step times",
                     "step 3", "<b>why</b>", "Loss of every backward",
                     "Time of every step", "ortwrap verify train.py", "loss = g(x)"):  # fmt: skip
        assert re.sub(r"\s+", " ", expected) in re.sub(r"\s+", " ", parser.text)


def test_a_browser_has_nothing_to_complain_about(report: str, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    timed = Measured("eager", 10.0, (10.0,), (9.0, 11.0), 1.0, 0.5, None, 100.0, step_ms=STEPS)
    failed = Measured("torch.compile", failure="raised <b>Unsupported</b>")
    benchmark = Benchmark("train.py", 20, 1, (timed, failed), "Worth it: twice as fast.", {})
    page = tmp_path / "report.html"
    pages = {"verify": report, "bench": benchmark_report(benchmark, command="ortwrap bench")}
    for name, text in pages.items():
        page.write_text(text, encoding="utf-8")
        picture = tmp_path / f"{name}.png"
        command = [
            browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--enable-logging=stderr", "--hide-scrollbars",
            f"--user-data-dir={tmp_path / 'profile'}", "--window-size=390,6000",
            f"--screenshot={picture}", page.as_uri(),
        ]  # fmt: skip

        ran = subprocess.run(command, capture_output=True, text=True, check=True)

        assert "CONSOLE" not in ran.stderr
        assert picture.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("style", "backgrounds"),
    [
        (html._LIGHT, ("#ffffff", "#ffeceb", "#e7f6ec")),
        (html._DARK, ("#191d22", "#3a1f20", "#15301f")),
    ],
)
def test_code_is_legible_where_it_is_as_before_removed_and_added(
    style: str, backgrounds: tuple[str, ...]
) -> None:
    page = (template_folder() / "report_page.html.j2").read_text(encoding="utf-8")
    used = {kind for kind, _ in PythonLexer().get_tokens(EVERY_KIND)} - {Whitespace}
    colours = {get_style_by_name(style).style_for_token(kind)["color"] for kind in used} - {None}

    assert all(background in page for background in backgrounds)
    assert [
        (colour, background)
        for colour in colours
        for background in backgrounds
        if _contrast(f"#{colour}", background) < 4.5
    ] == []


def _contrast(one: str, other: str) -> float:
    """As the Web Content Accessibility Guidelines define it."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_chart_comes_with_its_numbers() -> None:
    chart = difference_chart([1.0, 0.5], [1.0, 0.25], [1e-5, 1e-5])

    assert chart.rows[1] == ("2", "2.5e-01", "1.0e-05")
    assert "1 of 2 losses are equal" in chart.summary
    assert "#0" not in chart.svg.partition("<defs>")[0]


def test_losses_that_take_turns_are_a_line_each() -> None:
    chart = loss_chart([2.0, 0.5, 1.0, 0.25], [2.0, 0.5, 1.0], [0, 1, 0, 1])

    assert "of 2 kinds that take turns" in chart.summary
    assert "original's go from 2 to 1 and from 0.5 to 0.25" in chart.summary
    assert "patched script's from 2 to 1 and from 0.5 to 0.5" in chart.summary


def test_a_diff_shows_changes_with_their_surroundings() -> None:
    before = [f"line{number}" for number in range(20)]
    after = [*before[:10], "new", *before[10:]]

    rows = side_by_side("\n".join(before), "\n".join(after))

    assert [row.kind for row in rows] == [
        "skipped", *["same"] * 3, "changed", *["same"] * 3, "skipped"
    ]  # fmt: skip
    assert (rows[4].left.number, rows[4].right.number) == (0, 11)
    assert (rows[0].lines, rows[-1].lines) == (7, 7)
