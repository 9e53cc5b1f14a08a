"""`--standalone`: a script that needs torch-ort only, and trains alike where that can be known."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from engine_cases import CASES
from names_in import unresolved_names

from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options

STANDALONE = Options(standalone=True)
_TWINS = ("reshape_between", "ortmodule_around_the_model", "two_models_two_losses")


def test_no_case_needs_ortwrap() -> None:
    """Every case is rewritten, or refused for want of guards."""
    rewritten = 0
    for case in CASES:
        result = case.rewritten(STANDALONE)
        assert {step.code for step in result.steps} <= {None, "OW313"}, case.name
        if result.status == "rewritten":
            rewritten += 1
            assert not re.search(r"^\s*(?:from|import) ortwrap", result.text, re.MULTILINE)
            assert not unresolved_names(result.text) - unresolved_names(case.before), case.name
            again = rewrite_source(result.text, STANDALONE)
            assert again.text == result.text, case.name
    assert rewritten > len(CASES) / 2


def test_what_already_imports_ortmodule_imports_it_once() -> None:
    case = next(case for case in CASES if case.name == "ortmodule_around_the_model")
    text = case.rewritten(STANDALONE).text
    assert "torch_ort" not in text
    assert "isinstance(item, ORTModule)" in text


def test_a_standalone_script_is_left_alone_by_a_plain_rewrite() -> None:
    case = next(case for case in CASES if case.name == "reshape_between")
    text = case.rewritten(STANDALONE).text
    again = rewrite_source(text)
    assert again.text == text
    assert [step.status for step in again.steps] == ["skipped"]


@pytest.mark.parametrize("name", ["distributed_data_parallel", "lightning_shared_step"])
def test_what_takes_guards_is_refused(name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    result = case.rewritten(STANDALONE)
    assert [step.code for step in result.steps] == ["OW313"]


@pytest.mark.ort
def test_it_trains_alike_under_ortmodule_as_it_is() -> None:
    script = Path(__file__).parent / "standalone_twins.py"
    command = [sys.executable, "-W", "ignore", str(script), *_TWINS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    graphs = dict(re.findall(r"^(\w+): (\d+) graphs$", done.stdout, re.MULTILINE))
    assert set(graphs) == set(_TWINS)
    assert all(int(count) > 0 for count in graphs.values())
