"""What the commands of the tables have in common: run, print, and write a page."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import render
from .outcome import Outcome, Verdict
from .survey import survey


@dataclass(frozen=True)
class Table:
    """A table of things that are trained both ways.

    Attributes:
        module: the package of the command; its module `worker` runs the rows.
        description: what the command does, one line.
        families: the names of the rows, by family.
        eager: names of those that are known to run eagerly under ortwrap.
        head: the head of the page, with places for `versions` and `summary`.
        twins: what the names of some rows end with, where those without it are another row: such
            two share a row of the page.
    """

    module: str
    description: str
    families: Mapping[str, Sequence[str]]
    eager: frozenset[str]
    head: str
    twins: str = ""


def run(table: Table, arguments: Sequence[str] | None = None) -> int:
    """Returns 1 when a row under ortwrap is not what it is known to be.

    That is exact, eager where the row says so, and never further from eager than its own noise.
    """
    options = _parser(table).parse_args(arguments)
    wanted = {
        f"{family}/{number}": name
        for family, names in table.families.items()
        for number, name in enumerate(names)
        if not options.only or any(word in f"{family}/{name}" for word in options.only)
    }
    backends = ["ortmodule", "ortwrap"] if options.backend == "both" else [options.backend]
    results: dict[str, dict[str, Outcome]] = {}
    for place, outcomes in survey(list(wanted), backends, f"{table.module}.worker"):
        results[wanted[place]] = outcomes
        print(render.line(wanted[place], outcomes), file=sys.stderr, flush=True)
    if options.json:
        _print_json(results)
    else:
        print(render.summary(results, table.twins))
    if options.write:
        options.write.write_text(
            render.page(table.head, table.families, results, _versions(), table.twins)
        )
    return int(any(not _as_expected(results[name], name in table.eager) for name in results))


def _as_expected(outcomes: dict[str, Outcome], eager: bool) -> bool:
    if "ortwrap" not in outcomes:
        return True
    expected = {Verdict.EAGER} if eager else {Verdict.EXACT, Verdict.NOISE}
    return outcomes["ortwrap"].verdict in expected


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


def _parser(table: Table) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {table.module}", description=table.description
    )
    parser.add_argument("--only", nargs="*", help="families or names that hold one of these words")
    parser.add_argument("--backend", choices=["both", "ortmodule", "ortwrap"], default="both")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--write", type=Path, help="write the page of the documentation here")
    return parser
