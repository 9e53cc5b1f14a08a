"""What becomes of small modules whose forward does odd things.

    python -m benchmarks.oddities                              prints a row for each
    python -m benchmarks.oddities --write docs/oddities.md
    python -m benchmarks.oddities -k buffer                    those with "buffer" in their name

Each is trained for some steps, eagerly and through `ort_module`, from the same seeds, in a process
of its own. Compared after every step: all that the step returns, every parameter, gradient, buffer
and mode, and the state of every random generator. Exits with 1 if one differs, raises what eager
does not, kills the process, or runs eagerly without a warning.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path

import onnxruntime
import torch

from . import gradients, layers, models, stateful, structures  # noqa: F401  # each adds its scripts
from .play import SCRIPTS
from .trial import Outcome, play_twice

_FAILURES = frozenset({"differs", "raises", "dies", "silent"})
_MEANINGS = {
    "ort": "trains on ONNX Runtime, all the same as eagerly; a reason says why some calls did not",
    "eager": "runs eagerly, after a warning that gives the reason",
    "advice": "raises in backward what to do, and runs eagerly from the next run of the script on",
    "differs": "something is not what eager makes it",
    "raises": "raises where eager does not",
    "dies": "the process ends",
    "silent": "runs eagerly and no warning says so",
}
_HEAD = """\
# Odd modules, and what becomes of them

Rendered by `python -m benchmarks.oddities --write docs/oddities.md`; do not edit.

{about}

Measured with {versions}:

{summary}

| word | what it means |
|---|---|
{meanings}

| script | becomes | steps on ONNX Runtime | why not all |
|---|---|---:|---|
{rows}
"""


def results(names: list[str]) -> Iterator[tuple[str, Outcome]]:
    """Plays each script in a process of its own."""
    for name in names:
        with tempfile.TemporaryDirectory() as cache:
            # What is noted of a backward that failed must not meet the next script.
            os.environ["ORTWRAP_CACHE"] = cache
            yield name, _apart(name)


def _apart(name: str) -> Outcome:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_play, args=(name, sender))
    process.start()
    sender.close()
    try:
        outcome: Outcome = receiver.recv()
    except EOFError:
        process.join()
        return Outcome("dies", (0, 0), f"exit code {process.exitcode}")
    process.join()
    return outcome


def _play(name: str, sender: Connection) -> None:
    torch.set_num_threads(1)
    sender.send(play_twice(SCRIPTS[name]))


def line(name: str, outcome: Outcome) -> str:
    """A row to look at while it runs."""
    ran = "{} of {}".format(*outcome.ran)
    return f"{name:<50}{outcome.word:<8}{ran:>9}  {outcome.detail}"


def page(found: Mapping[str, Outcome]) -> str:
    """The page of the documentation."""
    about = (__doc__ or "").strip().rsplit("\n\n", 1)[1]
    rows = (
        "| {} | {} | {} of {} | {} |".format(
            name, one.word, *one.ran, one.detail.replace("|", "\\|").replace("*", "\\*")
        )
        for name, one in found.items()
    )
    return _HEAD.format(
        about=about.split(" Exits", 1)[0].replace("Each", "Each script", 1),
        versions=f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}, "
        f"Python {platform.python_version()}",
        summary=summary(found),
        meanings="\n".join(f"| {word} | {text} |" for word, text in _MEANINGS.items()),
        rows="\n".join(rows),
    )


def summary(found: Mapping[str, Outcome]) -> str:
    """How many scripts became what."""
    counts = Counter(one.word for one in found.values())
    parts = (f"{counts[word]} {word}" for word in _MEANINGS)
    return f"{len(found)} scripts: {', '.join(parts)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-k", default="", help="scripts with this in their name")
    parser.add_argument("--write", type=Path, help="write the page of the documentation here")
    chosen = parser.parse_args()
    found = {}
    for name, outcome in results([name for name in SCRIPTS if chosen.k in name]):
        found[name] = outcome
        print(line(name, outcome), file=sys.stderr, flush=True)
    print(summary(found))
    if chosen.write:
        chosen.write.write_text(page(found))
    sys.exit(any(one.word in _FAILURES for one in found.values()))


if __name__ == "__main__":
    main()
