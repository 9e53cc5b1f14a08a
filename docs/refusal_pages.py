"""The refusal pages of the site, written from what `ortwrap explain` prints, at build time."""

from __future__ import annotations

import textwrap
from typing import Any

from mkdocs.structure.files import File, Files

from ortwrap.engine import rewrite_source
from ortwrap.engine.refusals import PAGES, RefusalPage

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
    example = page.example.strip("\n")
    refused = [step for step in rewrite_source(page.example).steps if step.code == page.code]
    said = [f"example.py:{step.line}: {step.code} {step.message}" for step in refused]
    marked = " ".join(str(step.line) for step in refused)
    lines = f' hl_lines="{marked}"' if marked else ""
    parts = [
        f"---\ntitle: {page.code} {page.title}\n---",
        f"# {page.code}: {page.title}",
        page.reason,
        f'## Example\n\n```{{.python title="example.py" linenums="1"{lines}}}\n{example}\n```',
    ]
    if said:
        parts.append("ortwrap says:\n\n```text\n" + "\n".join(map(_wrapped, said)) + "\n```")
    parts.append(f'!!! tip "What to do"\n\n{textwrap.indent(page.advice, "    ")}')
    return "\n\n".join(parts) + "\n"


def _wrapped(line: str) -> str:
    return textwrap.fill(line, 88, subsequent_indent="    ", break_on_hyphens=False)
