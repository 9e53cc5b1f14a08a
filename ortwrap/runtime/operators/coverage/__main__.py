"""The command: runs the table and prints, or writes, what came of it."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from . import render
from .cases import CASES
from .outcome import Outcome, Verdict
from .survey import survey


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 when a case under ortwrap is neither exact nor one that is known to run eagerly."""
    options = _parser().parse_args(arguments)
    wanted = {
        f"{family}/{number}": case
        for family, cases in CASES.items()
        for number, case in enumerate(cases)
        if not options.only or any(word in f"{family}/{case.name}" for word in options.only)
    }
    backends = ["ortmodule", "ortwrap"] if options.backend == "both" else [options.backend]
    results: dict[str, dict[str, Outcome]] = {}
    for name, outcomes in survey(list(wanted), backends):
        results[wanted[name].name] = outcomes
        print(render.line(wanted[name].name, outcomes), file=sys.stderr, flush=True)
    if options.json:
        _print_json(results)
    else:
        print(render.summary(results))
    if options.write:
        families = {family: [case.name for case in cases] for family, cases in CASES.items()}
        options.write.write_text(render.page(families, results, _versions()))
    expected = {case.name: case.eager is not None for case in wanted.values()}
    return int(any(not _as_expected(results[name], eager) for name, eager in expected.items()))


def _as_expected(outcomes: dict[str, Outcome], eager: bool) -> bool:
    if "ortwrap" not in outcomes:
        return True
    return outcomes["ortwrap"].verdict is (Verdict.EAGER if eager else Verdict.EXACT)


def _print_json(results: dict[str, dict[str, Outcome]]) -> None:
    plain = {
        name: {backend: outcome.to_json() for backend, outcome in outcomes.items()}
        for name, outcomes in results.items()
    }
    print(json.dumps(plain, indent=1))


def _versions() -> str:
    import onnxruntime
    import torch

    python = platform.python_version()
    return f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}, Python {python}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ortwrap.runtime.operators.coverage",
        description="Train layers and losses on ONNX Runtime and eagerly, and compare.",
    )
    parser.add_argument("--only", nargs="*", help="families or names that hold one of these words")
    parser.add_argument("--backend", choices=["both", "ortmodule", "ortwrap"], default="both")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--write", type=Path, help="write the page of the documentation here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
