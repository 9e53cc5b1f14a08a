"""How much faster the masked-LM sample trains, with 15, 50 and 100 % of its labels valid.

    python -m benchmarks.masked_lm                    three times `ortwrap bench`, one table
    python -m benchmarks.masked_lm --json times.json  all figures as well

All runs of one share of labels alternate, so ratios hold even where milliseconds do not; on a
machine that is not idle the table says so.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ortwrap.cli.progress import runs_shown
from ortwrap.cli.running import ended_tidily
from ortwrap.proof.bench import WAYS, bench
from ortwrap.proof.measured import Benchmark, Measured

SAMPLE = Path(__file__).parents[1] / "samples" / "masked_lm.py"
SHARES = (0.15, 0.5, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=30, help="of each run, default 30")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way, default 3")
    parser.add_argument("--json", metavar="FILE", type=Path)
    parser.add_argument("args", nargs="*", help="further arguments of the sample, behind --")
    chosen = parser.parse_args()
    with ended_tidily():
        found = {share: _bench(share, chosen) for share in SHARES}
    Console(soft_wrap=True).print(_table(found))
    for share, benchmark in found.items():
        print(f"{share:.0%} valid: {benchmark.advice}")
        for way in benchmark.measured:
            if way.failure or way.note:
                print(f"  {way.name}: {way.failure or way.note}")
    warnings = {benchmark.warning for benchmark in found.values() if benchmark.warning}
    print("\n".join(warnings), file=sys.stderr)
    if chosen.json:
        content = {str(share): benchmark.to_json() for share, benchmark in found.items()}
        chosen.json.write_text(json.dumps(content, indent=2), encoding="utf-8")


def _bench(share: float, chosen: argparse.Namespace) -> Benchmark:
    with runs_shown(len(WAYS), chosen.repeat, quiet=False) as on_progress:
        return bench(
            SAMPLE,
            steps=chosen.steps,
            repeat=chosen.repeat,
            args=("--mlm-probability", str(share), *chosen.args),
            cwd=SAMPLE.parent,
            on_progress=on_progress,
        )


def _table(found: dict[float, Benchmark]) -> Table:
    shown = Table(title="ms per step, and ratio to eager (higher is faster)", title_justify="left")
    shown.add_column("valid labels")
    for way in WAYS:
        shown.add_column(way, justify="right")
    for share, benchmark in found.items():
        shown.add_row(f"{share:.0%}", *map(_cell, benchmark.measured))
    return shown


def _cell(measured: Measured) -> str:
    if measured.ms_per_step is None or measured.ratio is None:
        return "failed"
    return f"{measured.ms_per_step:.0f} ({measured.ratio:.2f})"


if __name__ == "__main__":
    main()
