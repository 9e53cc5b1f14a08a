"""The results as text for a terminal and as a page of the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

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


def summary(results: Results) -> str:
    """How many cases each backend trains exactly."""
    lines = []
    for backend in _backends(results):
        counts = Counter(outcomes[backend].verdict for outcomes in results.values())
        exact, total = counts[Verdict.EXACT], sum(counts.values())
        others = ", ".join(
            f"{counts[verdict]} {verdict.value}"
            for verdict in Verdict
            if verdict is not Verdict.EXACT and counts[verdict]
        )
        share = f"{exact} of {total} exact ({exact / total:.0%})"
        lines.append(f"{_TITLES[backend]:10} {share}{f', {others}' if others else ''}")
    return "\n".join(lines)


def page(head: str, families: Mapping[str, Sequence[str]], results: Results, versions: str) -> str:
    """A page of the documentation.

    Args:
        head: what stands above the tables.
        families: the names of the cases of each family.
        results: what came of them.
        versions: what they ran on.
    """
    noise = any(one.verdict is Verdict.NOISE for row in results.values() for one in row.values())
    parts = [head.format(versions=versions, summary=summary(results)), _meanings(noise)]
    for family, names in families.items():
        ran = [name for name in names if name in results]
        if ran:
            parts.append(_table(family, {name: results[name] for name in ran}))
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


def _table(family: str, results: Results) -> str:
    backends = _backends(results)
    titles = " | ".join(_TITLES[backend] for backend in backends)
    lines = [
        f"## {family.replace('_', ' ').capitalize()}",
        "",
        f"| case | {titles} | note |",
        f"|---|{'---|' * len(backends)}---|",
    ]
    for name, outcomes in results.items():
        verdicts = " | ".join(outcome.verdict.value for outcome in outcomes.values())
        note = outcomes["ortwrap"].detail if "ortwrap" in outcomes else ""
        lines.append(f"| {_escaped(name)} | {verdicts} | {_escaped(note)} |")
    return "\n".join([*lines, ""])


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
