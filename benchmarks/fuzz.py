"""Damaged scripts through the command line, for as long as one likes: no traceback may come out.

    python -m benchmarks.fuzz --minutes 10                  the cases of the tests, damaged
    python -m benchmarks.fuzz --minutes 10 /work/repos/*    public scripts as well
    python -m benchmarks.fuzz --keep found                  and keeps the scripts of its findings

Each turn takes a script, damages it (bytes, tokens, lines, parts of other scripts), and gives it
to `ortwrap rewrite` in this process with options drawn for it, as a file or on standard input. A
finding is a traceback, an internal error, an exit code that is not documented, output that does
not parse or that a second rewrite changes, or a turn that takes the processor longer than a minute.
So is a refusal by the tool's own checks (OW901), though most of these scripts made no sense before.
"""

from __future__ import annotations

import argparse
import ast
import copy
import io
import itertools
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from ortwrap.cli import run

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "engine" / "cases"
_LARGEST = 40_000
_SLOWEST = 60
_TOKEN = re.compile(rb"\w+|[^\w\s]+|[ \t]+|\r?\n|.", re.DOTALL)
_SPLINTERS = (
    *(b"\r\n", b"\r", b"\x0c", b"\t", b"\\\n", b";", b"\0", b"\xff", b"\xef\xbb\xbf", b"\x1a"),
    *(b"# coding: latin-1\n", b"# ortwrap: skip\n", b"loss.backward()", b"await ", b"lambda: "),
    *(b"yield ", b"*", b"**", b":=", b"@", b"del loss\n", b"global model\n", b"match x:\n", b"f'{"),
    *("\u00e9".encode(), "\u2028".encode(), "\U0001d4c1".encode(), b"with a, b:\n", b"try:\n"),
)

Damage = Callable[[random.Random, bytes, bytes], bytes]


class _TooSlow(BaseException):
    """Nothing on the way may take it for an error of its own."""


@dataclass(frozen=True)
class Said:
    """What one run of the command said."""

    code: int
    out: bytes
    err: str


def _bytes(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """A few bytes lost, doubled, changed."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        changed[at : at + chance.randint(0, 3)] = chance.choice(
            (chance.randbytes(chance.randint(0, 3)), chance.choice(_SPLINTERS), b"")
        )
    return bytes(changed)


def _tokens(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """Names and signs replaced by others of the same file or of another one."""
    mine, theirs = _TOKEN.findall(data), _TOKEN.findall(other)
    for _ in range(chance.randint(1, 6)):
        if mine and theirs:
            at = chance.randrange(len(mine))
            mine[at : at + chance.randint(0, 2)] = [chance.choice(chance.choice((mine, theirs)))]
    return b"".join(mine)


def _words(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """One name replaced by another one wherever it stands, which mostly still parses."""
    names = sorted(set(re.findall(rb"\b[A-Za-z_]\w*\b", data)))
    theirs = sorted(set(re.findall(rb"\b[A-Za-z_]\w*\b", other))) or names
    for _ in range(chance.randint(1, 3)):
        if names:
            word, new = chance.choice(names), chance.choice(chance.choice((names, theirs)))
            data = re.sub(rb"\b%s\b" % word, new, data)
    return data


def _lines(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """Lines lost, doubled, moved, taken from elsewhere, and indented anew."""
    mine, theirs = data.splitlines(keepends=True), other.splitlines(keepends=True)
    for _ in range(chance.randint(1, 5)):
        at, length = chance.randrange(len(mine) + 1), chance.randint(0, 4)
        pool = chance.choice((mine, theirs)) or [b"pass\n"]
        start = chance.randrange(len(pool))
        part = pool[start : start + chance.randint(0, 4)]
        shift = chance.choice((b"", b"", b"    ", b"\t"))
        mine[at : at + length] = [shift + line for line in part]
    return b"".join(mine)


def _nodes(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """Expressions and statements of one script in the places of another's: it always parses."""
    try:
        mine, theirs = ast.parse(data), ast.parse(other)
    except (SyntaxError, ValueError, RecursionError):
        return _tokens(chance, data, other)
    for kind in chance.sample((ast.expr, ast.stmt, ast.expr), 2):
        pool = [node for node in (*ast.walk(mine), *ast.walk(theirs)) if isinstance(node, kind)]
        spots = [
            (parent, field, index)
            for parent in ast.walk(mine)
            for field, value in ast.iter_fields(parent)
            if isinstance(value, list)
            for index, node in enumerate(value)
            if isinstance(node, kind)
        ]
        for _ in range(chance.randint(1, 3)):
            if pool and spots:
                parent, field, index = chance.choice(spots)
                getattr(parent, field)[index] = copy.deepcopy(chance.choice(pool))
    try:
        return ast.unparse(ast.fix_missing_locations(mine)).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):  # a tree that no text has
        return _lines(chance, data, other)


_DAMAGES: tuple[Damage, ...] = (_bytes, _tokens, _words, _lines, _nodes, _nodes)
_OPTIONS = (
    *((), (), ("--check",), ("--check", "--strict"), ("--explain-diff", "--verbose")),
    *(("--format", "json"), ("--format", "sarif"), ("--format", "github"), ("--standalone",)),
    *(("--class-name", "Step"), ("--sink", "step"), ("--wrapper", "to"), ("--write",), ("-o", "-")),
)


def scripts(folders: Sequence[Path]) -> list[Path]:
    """The scripts to damage: what runs backward, of the cases and of the folders."""
    found = [path for folder in (CASES, *folders) for path in sorted(folder.rglob("*.py"))]
    return [
        path
        for path in found
        if path.is_file() and path.stat().st_size < _LARGEST and b"backward" in path.read_bytes()
    ]


def damaged(chance: random.Random, sources: Sequence[Path]) -> tuple[bytes, list[str]]:
    """A damaged script, and options to rewrite it with."""
    data, other = (chance.choice(sources).read_bytes() for _ in range(2))
    for _ in range(chance.randint(1, 3)):
        data = chance.choice(_DAMAGES)(chance, data, other)[: 2 * _LARGEST]
    return data, list(chance.choice(_OPTIONS))


def findings(
    chance: random.Random, data: bytes, options: Sequence[str], folder: Path
) -> Iterator[str]:
    """What is wrong with what the command makes of a script; nothing if all is well."""
    path = folder / chance.choice(("train.py", "tr\u00e4in.py"))
    path.write_bytes(data)
    try:
        with _hurried():
            if chance.random() < 0.3 and "--write" not in options:
                said = _said(["rewrite", "-", *options], data)
            else:
                said = _said(["rewrite", str(path), *options])
            yield from _wrong(said, options)
            if said.code == 0 and not {"--check", "--write", "-o"} & set(options):
                yield from _wrong_result(path, data, options)
    except (Exception, _TooSlow):
        yield traceback.format_exc()


def _wrong(said: Said, options: Sequence[str]) -> Iterator[str]:
    if said.code not in (0, 1, 2) or "Traceback" in said.err:
        yield f"exit code {said.code}: {said.err}"
    if "internal error" in said.err or "OW901" in said.err:
        yield said.err
    if "--format" in options and options[-1] in ("json", "sarif"):
        document = json.loads(said.out)
        if "internal error" in json.dumps(document) or "OW901" in json.dumps(document):
            yield json.dumps(document, indent=1)


def _wrong_result(path: Path, data: bytes, options: Sequence[str]) -> Iterator[str]:
    kept = [option for option in options if option not in ("--explain-diff", "--verbose")]
    if "--format" in kept:
        kept = []
    written = _said(["rewrite", str(path), *kept, "--write"])
    yield from _wrong(written, ())
    after = path.read_bytes()
    if after == data:
        return
    again = _said(["rewrite", str(path), *kept, "--check"])
    if again.code != 0:
        yield f"a second rewrite would change it again: {again.err}"
    if _parses(data) and not _parses(after):
        yield "what was written does not parse"
    reverted = _said(["rewrite", str(path), "--revert"])
    if path.read_bytes() != data:
        yield f"not reverted: {reverted.err}"


def _parses(data: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(data)
    except (SyntaxError, ValueError, RecursionError):
        return False  # a syntax newer than this Python's, which LibCST knows
    return True


def _said(args: Sequence[str], data: bytes = b"") -> Said:
    """Run `ortwrap ARGS...` in this process, streams and all."""
    before = sys.argv, sys.stdin, sys.stdout, sys.stderr
    out, err = io.BytesIO(), io.BytesIO()
    sys.argv = ["ortwrap", *args]
    sys.stdin = io.TextIOWrapper(io.BytesIO(data))
    sys.stdout = io.TextIOWrapper(out, errors="backslashreplace")
    sys.stderr = io.TextIOWrapper(err, errors="backslashreplace")
    try:
        code = run()
        sys.stdout.flush()
        sys.stderr.flush()
        return Said(code, out.getvalue(), err.getvalue().decode(errors="replace"))
    finally:
        sys.argv, sys.stdin, sys.stdout, sys.stderr = before


@contextmanager
def _hurried() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise _TooSlow(f"longer than {_SLOWEST} s")

    # Of its own time: other programs may keep the processor for longer.
    signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SLOWEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folders", nargs="*", type=Path, help="of scripts to damage as well")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--turns", type=int, help="no more than so many, however fast they are")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="for scripts of findings")
    args = parser.parse_args()
    sources = scripts(args.folders)
    end = time.monotonic() + args.minutes * 60
    turns = found = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ORTWRAP_CACHE"] = str(Path(folder) / "cache")
        (Path(folder) / "pyproject.toml").write_text("[tool.ortwrap]\n")
        for seed in itertools.count(args.first):
            data, options = damaged(random.Random(seed), sources)
            for finding in findings(random.Random(seed), data, options, Path(folder)):
                found += 1
                print(f"--- seed {seed}: {' '.join(options)}\n{finding}", flush=True)
                if args.keep is not None:
                    args.keep.mkdir(parents=True, exist_ok=True)
                    (args.keep / f"{seed}.py").write_bytes(data)
            turns += 1
            if time.monotonic() > end or turns == args.turns:
                break
    print(f"{turns} turns over {len(sources)} scripts, {found} findings")
    sys.exit(found > 0)


if __name__ == "__main__":
    main()
