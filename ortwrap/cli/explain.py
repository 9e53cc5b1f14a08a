"""`ortwrap explain`: the page of a refusal."""

from __future__ import annotations

from collections.abc import Sequence

import click

_EXAMPLES = """\b
Examples:
  ortwrap explain OW201    what it means, why, an example, what to do
  ortwrap explain          every code, one line each
"""


def _codes(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from ortwrap.engine.refusal_pages import PAGES

    return [code for code in sorted(PAGES) if code.startswith(incomplete.upper())]


@click.command("explain", epilog=_EXAMPLES, short_help="Explain a refusal code.")
@click.argument("code", required=False, shell_complete=_codes)
def command(code: str | None) -> int:
    """Print the page of a refusal: what, why, an example, what to do."""
    from ortwrap.engine.refusal_pages import PAGES
    from ortwrap.report.page import as_text

    if code is None:
        for known in sorted(PAGES):
            click.echo(f"{known}  {PAGES[known].title}")
        return 0
    page = PAGES.get(code.upper()) or PAGES.get(f"OW{code}")
    if page is None:
        near = _near(code.upper(), sorted(PAGES))
        hint = f"Did you mean {near}?" if near else "`ortwrap explain` lists every code."
        raise click.BadParameter(f"there is no refusal {code}. {hint}", param_hint="CODE")
    click.echo(as_text(page), nl=False)
    return 0


def _near(code: str, known: Sequence[str]) -> str:
    """The codes that start like this one, else the one most like it; empty for none."""
    import difflib

    alike = [each for each in known if each.startswith((code, f"OW{code}"))]
    if not alike or len(alike) == len(known):
        alike = difflib.get_close_matches(code, known, n=1)
    return ", ".join(alike)
