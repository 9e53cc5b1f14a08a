"""What ortwrap makes of the training steps of public repositories.

    python -m benchmarks.coverage /work/repos/*            writes docs/coverage.md
    python -m benchmarks.coverage --list OW301 REPO...     shows each step refused with a code
    python -m benchmarks.coverage --list -- REPO...        shows each refused step

Every `.py` file of each folder is rewritten in memory; nothing is run and no folder is changed. A
*step* is one loss with its backward; a *single-loss* step shares its innermost loop (or function,
where there is no loop) with no other. `errors` must stay 0: a crash, an internal check that failed
(OW9xx), or a file in which `.backward()` is called with torch imported and that got no row at all.

Each refused step was read, and `verdicts.txt` says what it is. What is no step of a module (no
`nn.Module` takes part in the loss, a function is handed a loss that is computed elsewhere, or a
test looks at a step without training) is
shown in rows of its own and left out of one of the two shares; the command names every refused
step that has no verdict, and every verdict on what is not refused any more.
"""

from __future__ import annotations

import argparse
import ast
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import verdicts
from benchmarks.verdicts import Verdict
from ortwrap.engine import rewrite_source
from ortwrap.engine.names.neighbours import Neighbours
from ortwrap.engine.refusal_pages import PAGES
from ortwrap.engine.result import InvalidSource, Step
from ortwrap.neighbours import ProjectFiles

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "coverage.md"


@dataclass(frozen=True)
class File:
    """One file with a training step, or with an error.

    Attributes:
        path: where it lies.
        steps: its rows.
        single: lines of the steps that are alone in their loop.
        error: why it counts as an error; empty if it does not.
        text: its source.
    """

    path: Path
    steps: tuple[Step, ...] = ()
    single: frozenset[int] = frozenset()
    error: str = ""
    text: str = ""


@dataclass(frozen=True)
class Refused:
    """One refused step.

    Attributes:
        place: `OWNER/NAME/path.py:line`, the key of its verdict.
        step: its row.
        single: no other step shares its loop.
        code: the text of its line.
    """

    place: str
    step: Step
    single: bool
    code: str


@dataclass
class Repository:
    """The files of one checkout that count, and how many there are in all."""

    folder: Path
    looked_at: int = 0
    unreadable: int = 0
    files: list[File] = field(default_factory=list)

    def steps(self, *, single: bool = False) -> list[Step]:
        """Its steps, but for those that were rewritten or told to be skipped before."""
        return [
            step
            for file in self.files
            for step in file.steps
            if step.status != "skipped" and (not single or step.line in file.single)
        ]

    @property
    def name(self) -> str:
        return self.folder.name.replace("+", "/")

    def refused(self) -> Iterator[Refused]:
        """Its refused steps, in the order of their files and lines."""
        for file in self.files:
            lines = file.text.splitlines()
            for step in file.steps:
                if step.status == "refused":
                    path = file.path.relative_to(self.folder).as_posix()
                    place = f"{self.name}/{path}:{step.line}"
                    code = lines[step.line - 1].strip()
                    yield Refused(place, step, step.line in file.single, code)

    def errors(self) -> list[File]:
        """Files that must not exist."""
        return [file for file in self.files if file.error]


def survey(folder: Path) -> Repository:
    """Rewrite every file of one checkout in memory."""
    repository = Repository(folder)
    for path in sorted(folder.rglob("*.py")):
        if ".git" in path.parts:
            continue
        repository.looked_at += 1
        try:
            text = path.read_bytes().decode("utf-8")
            file = look_at(path, text, ProjectFiles(str(path), str(folder)))
        except (OSError, UnicodeDecodeError, InvalidSource):
            # Python 2, templates, and data that is called .py: no Python that we know.
            repository.unreadable += 1
            continue
        if file is not None:
            repository.files.append(file)
    return repository


def look_at(path: Path, text: str, neighbours: Neighbours | None = None) -> File | None:
    """The rows of one file; None if there is no step in it and none was missed.

    Raises:
        InvalidSource: the text is no Python.
    """
    try:
        # A step that a library runs has no loss in the file, and no backward.
        every = rewrite_source(text, neighbours=neighbours).steps
        steps = tuple(step for step in every if step.code != "OW314")
    except InvalidSource:
        raise
    except Exception:
        return File(path, error=traceback.format_exc(limit=-2))
    internal = [step for step in steps if (step.code or "").startswith("OW9")]
    error = internal[0].message if internal else ""
    if not steps:
        missed = _missed_sink(text)
        return File(path, error=f"no row for line {missed}") if missed else None
    return File(path, steps, _alone(text, steps), error, text)


def _missed_sink(text: str) -> int:
    """The line of a call of `.backward()` in a file that imports torch; 0 if there is none.

    What a class's own `backward` method calls on its base class is not a training step, nor is a
    call that gives something back, as no tensor's does, nor a function of an extension.
    """
    tree = _parse(text)
    if tree is None or not any(name.split(".")[0] == "torch" for name in _imported(tree)):
        return 0
    extensions = set(_imported(tree))
    used = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Return))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            base = node.func.value
            is_super = isinstance(base, ast.Call) and getattr(base.func, "id", "") == "super"
            of_extension = isinstance(base, ast.Name) and base.id in extensions
            if is_super or of_extension or id(node) in used:
                continue
            if node.func.attr == "backward":
                return node.lineno
    return 0


def _imported(tree: ast.AST) -> Iterator[str]:
    """The modules that a file imports from or by their own names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _alone(text: str, steps: Sequence[Step]) -> frozenset[int]:
    """Lines of the steps that share their innermost loop with no other."""
    tree = _parse(text)
    if tree is None:
        return frozenset()
    kinds = (ast.For, ast.AsyncFor, ast.While, ast.FunctionDef, ast.AsyncFunctionDef)
    spans = [
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, kinds)
    ]

    def home(line: int) -> tuple[int, int]:
        around = [span for span in spans if span[0] <= line <= span[1]]
        return max(around, default=(0, 0))

    count = Counter(home(step.line) for step in steps)
    return frozenset(step.line for step in steps if count[home(step.line)] == 1)


def _parse(text: str) -> ast.AST | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.lstrip("\ufeff"))
    except (SyntaxError, ValueError):
        return None


# -- the page ------------------------------------------------------------------------------------


def page(repositories: Sequence[Repository], known: Mapping[str, Verdict]) -> str:
    """`docs/coverage.md`."""
    return "\n".join(
        [
            "# What ortwrap makes of public training code",
            "",
            "Written by `python -m benchmarks.coverage FOLDER...`, which rewrites every `.py` file",
            "of each checkout in memory. A step is one loss with its backward; it is single-loss",
            "where no other step shares its loop. The refusals of these repositories were read",
            "while the engine was written, so that they are no measure for code it never met.",
            "",
            *_table(repositories),
            "",
            "## The share",
            "",
            *_shares(repositories, known),
            "",
            "## Why steps were refused",
            "",
            *_reasons(repositories),
            "",
            "## Each refused step",
            "",
            "What someone who read it found: rightly refused, open (it could be rewritten), no",
            "module in the loss, handed a loss that is computed elsewhere, or a test. Steps that",
            "share their loop with others are marked with *.",
            "",
            *_each(repositories, known),
            "",
        ]
    )


def _table(repositories: Sequence[Repository]) -> Iterator[str]:
    yield "| repository | .py files | with a step | steps | rewritten | refused | errors |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    counted = [repository for repository in repositories if repository.files]
    for repository in counted:
        yield _row(repository.name, [repository])
    yield _row("**all**", counted)


def _shares(repositories: Sequence[Repository], known: Mapping[str, Verdict]) -> Iterator[str]:
    """What was rewritten of all rows, and of those that are a step of a module."""
    yield "| | all | single-loss |"
    yield "|---|---:|---:|"
    everything = [[s for r in repositories for s in r.steps(single=only)] for only in (False, True)]
    refused = [each for repository in repositories for each in repository.refused()]
    rows = every = [len(steps) for steps in everything]
    done = [sum(step.status == "rewritten" for step in steps) for steps in everything]
    yield f"| every `.backward()` | {rows[0]} | {rows[1]} |"
    for kind, said in (
        ("no module", "no module of the script is in the loss: nothing for ORTModule to train"),
        ("handed on", "a function is handed the loss: the step is counted where it is computed"),
        ("test", "a unit test, or the self-test of a model's file: nothing is trained"),
    ):
        found = [each for each in refused if _is(each, kind, known)]
        count = [len(found), sum(each.single for each in found)]
        rows = [row - less for row, less in zip(rows, count)]
        yield f"| less: {said} | {count[0]} | {count[1]} |"
    yield f"| steps of a module | {rows[0]} | {rows[1]} |"
    yield f"| rewritten | {done[0]} | {done[1]} |"
    for said, whole in (("the steps of a module", rows), ("every `.backward()`", every)):
        shares = [_percent(part, of) for part, of in zip(done, whole)]
        yield f"| of {said} | {shares[0]} | {shares[1]} |"


def _is(refused: Refused, kind: str, known: Mapping[str, Verdict]) -> bool:
    verdict = known.get(refused.place)
    return verdict is not None and verdict.kind == kind and verdict.is_no_step(refused.step.code)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _each(repositories: Sequence[Repository], known: Mapping[str, Verdict]) -> Iterator[str]:
    yield "| step | code | line | verdict |"
    yield "|---|---|---|---|"
    for repository in repositories:
        for each in repository.refused():
            verdict = known.get(each.place)
            said = f"{verdict.kind}: {verdict.why}" if verdict is not None else "not read yet"
            line = each.code.replace("`", "'").replace("|", "\\|")[:70]
            mark = "" if each.single else " *"
            yield f"| {each.place}{mark} | {each.step.code} | `{line}` | {said} |"


def unsettled(repositories: Sequence[Repository], known: Mapping[str, Verdict]) -> Iterator[str]:
    """What the verdicts and the refusals do not agree on."""
    refused = {each.place: each for repository in repositories for each in repository.refused()}
    for place, each in refused.items():
        verdict = known.get(place)
        if verdict is None:
            yield f"{place}: {each.step.code} has no verdict: {each.step.message}"
        elif verdict.kind in verdicts.NO_STEPS and not verdict.is_no_step(each.step.code):
            yield f"{place}: {each.step.code} speaks against the verdict `{verdict.kind}`"
    looked_at = tuple(f"{repository.name}/" for repository in repositories)
    for place in known:
        if place.startswith(looked_at) and place not in refused:
            yield f"{place}: has a verdict and is not refused"


def _row(name: str, repositories: Sequence[Repository]) -> str:
    steps = [step for repository in repositories for step in repository.steps()]
    done = sum(step.status == "rewritten" for step in steps)
    cells = (
        sum(repository.looked_at for repository in repositories),
        sum(len(repository.files) for repository in repositories),
        len(steps),
        done,
        len(steps) - done,
        sum(len(repository.errors()) for repository in repositories),
    )
    return f"| {name} | {' | '.join(map(str, cells))} |"


def _reasons(repositories: Sequence[Repository]) -> Iterator[str]:
    codes: Counter[str] = Counter()
    single: Counter[str] = Counter()
    for repository in repositories:
        codes.update(step.code for step in repository.steps() if step.code)
        single.update(step.code for step in repository.steps(single=True) if step.code)
    yield "| code | reason | steps | single-loss |"
    yield "|---|---|---:|---:|"
    for code, count in codes.most_common():
        yield f"| {code} | {PAGES[code].title} | {count} | {single[code]} |"


# -- the command ---------------------------------------------------------------------------------


def listing(repositories: Iterable[Repository], codes: Sequence[str]) -> Iterator[str]:
    """One line for each step refused with one of the codes, or with any if none is named.

    `rewritten` lists those that are rewritten.
    """
    for repository in repositories:
        for file in repository.files:
            for step in file.steps:
                if (step.code or step.status) in codes or (step.code and not codes):
                    yield f"{file.path}:{step.line}: {step.code or step.status} {step.message}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, help="checkouts, one repository each")
    parser.add_argument("--list", nargs="*", metavar="CODE", help="list steps, write nothing")
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    args = parser.parse_args()
    repositories = []
    for folder in args.folders:
        if not folder.is_dir():
            parser.error(f"{folder} is no folder")
        repositories.append(survey(folder))
        done = repositories[-1]
        print(f"{done.name}: {len(done.steps())} steps", file=sys.stderr)
        for file in done.errors():
            print(f"  {file.path}: {file.error}", file=sys.stderr)
    if args.list is not None:
        print("\n".join(listing(repositories, args.list)))
    else:
        known = verdicts.read()
        for line in unsettled(repositories, known):
            print(line, file=sys.stderr)
        args.output.write_text(page(repositories, known), encoding="utf-8")
        print(f"wrote {args.output}", file=sys.stderr)
    if any(repository.errors() for repository in repositories):
        sys.exit(1)


if __name__ == "__main__":
    main()
