"""Benchmarks of real runs; no test here looks at how long anything took."""

from __future__ import annotations

import json
import re
import shlex
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner

from ortwrap.cli.bench import command
from ortwrap.proof.advice import advise
from ortwrap.proof.bench import EAGER, MODEL_ONLY, REWRITTEN, bench
from ortwrap.proof.measured import Measured
from ortwrap.proof.patched import CannotVerify
from tests.proof.conftest import BY_HAND, SCRIPT, replaced


def test_every_way_really_runs_where_its_name_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launcher: tuple[str, ...]
) -> None:
    pytest.importorskip("onnxruntime")
    script = tmp_path / "train.py"
    script.write_text(replaced(SCRIPT, "nn.BatchNorm1d", "nn.LayerNorm"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    arguments = ["train.py", "--steps", "6", "--repeat", "2", "--way", MODEL_ONLY, "--json", "-"]
    start = ["--launcher", shlex.join(launcher)]

    ran = CliRunner().invoke(command, [*arguments, *start, "--html", "bench.html"])

    assert ran.exit_code == 0, ran.stderr
    result = json.loads(ran.stdout)
    measured = result["measured"]
    assert [m["name"] for m in measured] == [EAGER, MODEL_ONLY, REWRITTEN]
    assert [m["failure"] for m in measured] == [None] * 3
    assert [m["ran_on"] for m in measured] == ["eager", "ort", "ort"]
    assert all(len(m["ms_of_runs"]) == 2 and len(m["step_ms"]) == 2 * 5 for m in measured)
    assert measured[0]["ratio"] == 1
    assert result["environment"]["torch"]
    assert result["advice"] in ran.stderr
    headline, _, detail = result["advice"].partition(": ")
    report = unescape((tmp_path / "bench.html").read_text(encoding="utf-8"))
    assert headline in report
    assert detail[1:] in report


def test_a_script_that_fails_by_itself_is_no_benchmark(
    tmp_path: Path, launcher: tuple[str, ...]
) -> None:
    script = tmp_path / "train.py"
    script.write_text(replaced(SCRIPT, "weight = 0.5", "weight = int('x')"), encoding="utf-8")

    with pytest.raises(CannotVerify, match=r"before its first step(?s:.*)ValueError"):
        bench(script, steps=5, repeat=1, cwd=tmp_path, launcher=launcher)


def measured(ms: float, **more: object) -> Measured:
    settings: dict[str, object] = {"ran_on": "ort", "ratio": 100 / ms, **more}
    return Measured("ortwrap", ms_per_step=ms, **settings)  # type: ignore[arg-type]


ADVICE = {
    "faster": (measured(50, label_density=0.15, label_sparsity="on", break_even_steps=80),
               "Worth it: .*ratio 2.00.* 15 % of labels valid .* paid back after 80 steps"),
    "full of labels": (measured(120, label_density=1.0), "Not worth it .* padding or masking"),
    "as fast": (measured(101), "No difference here: .* many classes"),
    "on eager": (measured(100, ran_on="eager", note="no kernel"), r"ran eagerly \(no kernel\)"),
    "failed": (Measured("ortwrap", failure="was killed by SIGFPE"), "SIGFPE: run .ortwrap verify"),
}  # fmt: skip


@pytest.mark.parametrize("case", ADVICE)
def test_advice(case: str) -> None:
    rewritten, expected = ADVICE[case]
    advice = advise([measured(100), rewritten])
    assert re.search(expected, advice)


def test_short_steps_are_named_as_the_reason() -> None:
    assert "short beside the fixed cost" in advise([measured(3), measured(200)])


def test_what_is_faster_still_is_named() -> None:
    compiled = Measured("torch.compile", ms_per_step=40, ratio=2.5)

    assert "torch.compile is faster here (ratio 2.50)" in advise(
        [measured(100), compiled, measured(50)]
    )
    assert "torch.compile" not in advise([measured(100), compiled, measured(39)])
    slow = Measured("torch.compile", ms_per_step=200, ratio=0.5)
    assert "faster here" not in advise([measured(100), slow, measured(400)])


def test_without_an_optimizer_no_model_is_found_to_compile(
    tmp_path: Path, launcher: tuple[str, ...]
) -> None:
    script = tmp_path / "train.py"
    script.write_text(BY_HAND, encoding="utf-8")

    found = bench(
        script, steps=4, repeat=1, ways=["torch.compile"], patched=script, cwd=tmp_path,
        launcher=launcher,
    )  # fmt: skip

    assert "the script makes none" in found.measured[1].note


def test_ortmodule_is_given_the_operators_that_it_lacks(
    tmp_path: Path, launcher: tuple[str, ...]
) -> None:
    pytest.importorskip("onnxruntime")
    script = tmp_path / "train.py"
    lacking = replaced(SCRIPT, "nn.BatchNorm1d(16), nn.ReLU()", "nn.LayerNorm(16), nn.ELU()")
    script.write_text(lacking, encoding="utf-8")

    found = bench(
        script, steps=4, repeat=2, ways=[MODEL_ONLY], patched=script, cwd=tmp_path,
        launcher=launcher,
    )  # fmt: skip

    alone = found.measured[1]
    assert (alone.failure, alone.ran_on, len(alone.ms_of_runs)) == (None, "ort", 2)
    assert alone.note.startswith("measured with the operators that ortwrap's runtime adds to it")
    assert "RuntimeError" in alone.note
