"""The HTML report: complete in itself, and silent in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from ortwrap.proof.charts import loss_chart
from ortwrap.proof.html import html_report
from ortwrap.proof.side_by_side import side_by_side
from ortwrap.proof.verdict import Difference, Execution, Side, Verdict

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
        noise={"loss": 1e-7},
        first_difference=Difference("loss", "", 3, 1.0, 2.0, 1.0, "<b>why</b>"),
        execution=Execution(ran_on="ort", loss_in_graph=True),
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
    for expected in ("mismatch", "step 3", "<b>why</b>", "Loss of every backward",
                     "Time of every step", "ortwrap verify train.py", "loss = g(x)"):  # fmt: skip
        assert re.sub(r"\s+", " ", expected) in re.sub(r"\s+", " ", parser.text)


def test_a_browser_has_nothing_to_complain_about(report: str, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    page = tmp_path / "report.html"
    page.write_text(report, encoding="utf-8")
    picture = tmp_path / "report.png"
    command = [
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}", page.as_uri(),
    ]  # fmt: skip

    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    assert "CONSOLE" not in ran.stderr
    assert picture.stat().st_size > 10_000


def test_a_chart_comes_with_its_numbers() -> None:
    chart = loss_chart([1.0, 0.5], [1.0, 0.25])

    assert chart.rows[1] == ("2", "0.5", "0.25", "2.5e-01")
    assert "1 of 2 losses are equal" in chart.summary
    assert "#0" not in chart.svg.partition("<defs>")[0]


def test_a_diff_shows_changes_with_their_surroundings() -> None:
    before = [f"line{number}" for number in range(20)]
    after = [*before[:10], "new", *before[10:]]

    rows = side_by_side("\n".join(before), "\n".join(after))

    assert [row.kind for row in rows] == ["skipped", *["same"] * 3, "changed", *["same"] * 3]
    assert (rows[4].left.number, rows[4].right.number) == (0, 11)
