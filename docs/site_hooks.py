"""What of the site is made at build time: the refusal pages, and what commands print.

The pages are those of `ortwrap explain`. A line `<!-- shows: ortwrap ARGS -->` of a page becomes
what that command prints in the checkout, so that no page shows what is no longer so.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from ortwrap.engine.refusal_pages import PAGES, RefusalPage
from ortwrap.engine.remedies import REMEDIES
from ortwrap.report.diff import unified
from ortwrap.report.page import left_of_remedy, refused_steps, rewritten_example

_ROOT = Path(__file__).parents[1]
_SHOWS = re.compile(r"^<!-- shows: ortwrap (.*) -->$", re.MULTILINE)
_GROUPS = {
    "1": "What the analysis could not see",
    "2": "Graphs and the order of statements",
    "3": "What ONNX Runtime cannot do",
    "9": "A safety net",
}


def on_files(files: Files, config: Any) -> Files:
    """Add a page for every refusal, and one that lists them."""
    files.append(File.generated(config, "refusals.md", content=_index()))
    for page in PAGES.values():
        files.append(File.generated(config, f"refusals/{page.code}.md", content=_page(page)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put in what commands print."""
    return _SHOWS.sub(lambda match: _shown(match.group(1)), markdown)


def _shown(args: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "ortwrap", *args.split()],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if run.returncode not in (0, 1):  # 1 is what a check says
        raise PluginError(f"ortwrap {args}: {run.stdout}")
    language = "diff" if "+++ " in run.stdout else "text"
    return f"```{language}\n{run.stdout.rstrip()}\n```"


def _index() -> str:
    parts = [
        "# Refusals\n\n"
        "A step that ortwrap cannot rewrite without a doubt stays as it is, and gets a code, a "
        "line and what you can do. `ortwrap explain CODE` prints the same pages.\n"
    ]
    for digit, title in _GROUPS.items():
        pages = [page for code, page in sorted(PAGES.items()) if code[2] == digit]
        if pages:
            parts.append(f"## {title}\n\n| code | |\n|---|---|")
            parts += [
                f"| [{page.code}](refusals/{page.code}.md) | {page.title} |" for page in pages
            ]
            parts.append("")
    return "\n".join(parts) + "\n"


def _page(page: RefusalPage) -> str:
    refused = refused_steps(page)
    marked = {str(step.line) for step in refused}
    marked.update(line for step in refused for line in re.findall(r"\bline (\d+)", step.message))
    parts = [
        f"---\ntitle: {page.code} {page.title}\n---",
        f"# {page.code}: {page.title}",
        page.reason,
    ]
    if page.example:
        parts += ["## What is refused", _code(page.example, "example.py", marked)]
    if refused:
        parts.append(
            _said(f"example.py:{step.line}: {step.code} {step.message}" for step in refused)
        )
    advice = re.sub(r"\{(\w+)\}", r"<\1>", page.advice)
    parts.append(f"## What to do\n\n{advice}")
    if page.code in REMEDIES:
        parts += _remedy(page.code)
    return "\n\n".join(parts) + "\n"


def _remedy(code: str) -> list[str]:
    remedy = REMEDIES[code]
    parts = [f"For instance:\n\n{_code(remedy, 'example.py')}"]
    left = left_of_remedy(code)
    if left:
        parts.append(_said(left))
    diff = unified(remedy, rewritten_example(remedy).text, "example.py")
    if diff:
        fenced = textwrap.indent(f"```diff\n{diff.rstrip()}\n```", "    ")
        parts.append(f'??? example "What ortwrap makes of it"\n\n{fenced}')
    return parts


def _said(lines: Iterable[str]) -> str:
    return "```text\n" + "\n".join(map(_wrapped, lines)) + "\n```"


def _code(text: str, title: str, marked: Iterable[str] = ()) -> str:
    lines = f' hl_lines="{" ".join(sorted(marked, key=int))}"' if marked else ""
    return f'```{{.python title="{title}" linenums="1"{lines}}}\n{text.strip()}\n```'


def _wrapped(line: str) -> str:
    return textwrap.fill(line, 88, subsequent_indent="    ", break_on_hyphens=False)
