"""The results as text for a terminal and as a page of the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from .outcome import Outcome, Verdict

Results = Mapping[str, Mapping[str, Outcome]]
"""Case name -> backend -> outcome."""

_TITLES = {"ortmodule": "ORTModule", "ortwrap": "ortwrap"}

_MEANING = {
    Verdict.EXACT: "trains on ONNX Runtime, losses, gradients and buffers equal to eager's",
    Verdict.NOISE: "trains on ONNX Runtime, as far from eager as eager with other kernels is",
    Verdict.EAGER: "runs eagerly",
    Verdict.DIFFERS: "trains on ONNX Runtime and differs from eager",
    Verdict.RAISES: "stops the training with an exception",
    Verdict.DIES: "kills the process",
}


def line(name: str, outcomes: Mapping[str, Outcome]) -> str:
    """One case for a terminal."""
    verdicts = "  ".join(f"{outcome.verdict.value:8}" for outcome in outcomes.values())
    detail = outcomes["ortwrap"].detail if "ortwrap" in outcomes else ""
    return f"{verdicts}  {name}{f'  ({detail})' if detail else ''}"


def summary(results: Results, twins: str = "") -> str:
    """How many cases each backend trains exactly.

    Args:
        results: what came of the cases.
        twins: what the names of those end with that are counted apart.
    """
    titles, lines = [], []
    for ending in ("", twins) if twins else ("",):
        mine = {name: row for name, row in results.items() if _is_twin(name, twins) == bool(ending)}
        for backend in _backends(mine):
            titles.append(f"{_TITLES[backend]}{ending}")
            lines.append(_shares([outcomes[backend].verdict for outcomes in mine.values()]))
    width = max(map(len, titles), default=0)
    return "\n".join(f"{title:{width}}  {line}" for title, line in zip(titles, lines))


def _shares(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(verdicts)
    exact, total = counts[Verdict.EXACT], len(verdicts)
    others = [
        f"{counts[verdict]} {verdict.value}"
        for verdict in Verdict
        if verdict is not Verdict.EXACT and counts[verdict]
    ]
    return ", ".join([f"{exact} of {total} exact ({exact / total:.0%})", *others])


def _is_twin(name: str, twins: str) -> bool:
    return bool(twins) and name.endswith(twins)


def page(
    head: str,
    families: Mapping[str, Sequence[str]],
    results: Results,
    versions: str,
    twins: str = "",
) -> str:
    """A page of the documentation.

    Args:
        head: what stands above the tables.
        families: the names of the cases of each family.
        results: what came of them.
        versions: what they ran on.
        twins: what the names of those end with that share the row of the case without it.
    """
    noise = any(one.verdict is Verdict.NOISE for row in results.values() for one in row.values())
    parts = [head.format(versions=versions, summary=summary(results, twins)), _meanings(noise)]
    for family, names in families.items():
        ran = [name for name in names if name in results]
        if ran:
            parts.append(_table(family, {name: results[name] for name in ran}, twins))
    return "\n".join(parts)


def _backends(results: Results) -> list[str]:
    return list(next(iter(results.values()), {}))


def _meanings(noise: bool) -> str:
    rows = [
        f"| {verdict.value} | {text} |"
        for verdict, text in _MEANING.items()
        if verdict is not Verdict.NOISE or noise
    ]
    return "\n".join(["| word | what it means |", "|---|---|", *rows, ""])


def _table(family: str, results: Results, twins: str) -> str:
    endings = ("", twins) if twins else ("",)
    columns = [(backend, ending) for backend in _backends(results) for ending in endings]
    titles = " | ".join(f"{_TITLES[backend]}{ending}" for backend, ending in columns)
    lines = [
        f"## {family.replace('_', ' ').capitalize()}",
        "",
        f"| case | {titles} | note |",
        f"|---|{'---|' * len(columns)}---|",
    ]
    for name in results:
        if not _is_twin(name, twins):
            cells = [results[f"{name}{ending}"][backend] for backend, ending in columns]
            verdicts = " | ".join(cell.verdict.value for cell in cells)
            note = _note(results[f"{name}{ending}"] for ending in endings)
            lines.append(f"| {_escaped(name)} | {verdicts} | {_escaped(note)} |")
    return "\n".join([*lines, ""])


def _note(rows: Iterable[Mapping[str, Outcome]]) -> str:
    """What ortwrap has to say of them, each once."""
    details = [row["ortwrap"].detail for row in rows if "ortwrap" in row]
    return "; ".join(detail for detail in dict.fromkeys(details) if detail)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
