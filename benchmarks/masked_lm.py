"""How much faster the masked-LM sample trains, with 15, 50 and 100 % of its labels valid.

    python -m benchmarks.masked_lm                    three times `ortwrap bench`, one table
    python -m benchmarks.masked_lm --json times.json  all figures as well
    python -m benchmarks.masked_lm --by-hand          a mean over a mask, no label is ignored

All runs of one share of labels alternate, so ratios hold even where milliseconds do not; on a
machine that is not idle the table says so.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
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
    parser.add_argument("--by-hand", action="store_true", help="mask the loss, ignore no label")
    parser.add_argument("args", nargs="*", help="further arguments of the sample, behind --")
    chosen = parser.parse_args()
    with ended_tidily(), _script(chosen.by_hand) as script:
        found = {share: _bench(script, share, chosen) for share in SHARES}
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


@contextlib.contextmanager
def _script(by_hand: bool) -> Iterator[Path]:
    """The sample; or what it is with labels for all tokens and a mask of those that count."""
    if not by_hand:
        yield SAMPLE
        return
    source = SAMPLE.read_text(encoding="utf-8")
    for ignored, masked in _BY_HAND.items():
        assert source.count(ignored) == 1, f"the sample has changed: {ignored}"
        source = source.replace(ignored, masked)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, SAMPLE.name)
        script.write_text(source, encoding="utf-8")
        yield script


_BY_HAND = {
    "        labels[~chosen] = IGNORED\n": "",
    '"labels": labels}': '"labels": labels, "loss_mask": chosen.float()}',
    "            loss = criterion(logits.view(-1, args.vocab_size), labels.view(-1))\n": """\
            loss = F.cross_entropy(
                logits.view(-1, args.vocab_size), labels.view(-1), reduction="none")
            mask = batch["loss_mask"].to(device)
            loss = (loss * mask.view(-1)).sum() / mask.sum()
""",
}


def _bench(script: Path, share: float, chosen: argparse.Namespace) -> Benchmark:
    with runs_shown(len(WAYS), chosen.repeat, quiet=False) as on_progress:
        return bench(
            script,
            steps=chosen.steps,
            repeat=chosen.repeat,
            args=("--mlm-probability", str(share), *chosen.args),
            cwd=script.parent,
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
