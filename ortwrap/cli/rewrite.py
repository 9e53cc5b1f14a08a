"""`ortwrap rewrite`: its options and help; `delivery` does what they ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ortwrap.cli.request import Request, reject_contradictions
from ortwrap.config import is_class_name

_EXAMPLES = """\b
Examples:
  ortwrap rewrite train.py                   show the diff, write nothing
  ortwrap rewrite train.py --write           change the script in place
  ortwrap rewrite train.py -o train_ort.py   write a second script
  ortwrap rewrite src/ -o '{stem}_ort.py'    one beside each script
  ortwrap rewrite train.py --explain-diff    the diff, with reasons
  ortwrap rewrite train.py --interactive     step by step, asking
  ortwrap rewrite train.py --revert          take --write back
  ortwrap rewrite --check --strict src/      for CI: exit 1 if work is left
  ortwrap rewrite --format json train.py     one JSON document for programs
  cat train.py | ortwrap rewrite - -o -      as a filter

Exit codes: 0 all done; 1 --check would rewrite, or --strict met a refusal;
2 wrong usage, or a file that could not be read, parsed or written.
"""


def _class_name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_class_name(value):
        raise click.BadParameter(f"{value!r} is not a valid name for a class")
    return value


_EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
# So that shells complete it; whether it can be read is found out file by file.
_ANY_PATH = click.Path(readable=False)


@click.command("rewrite", epilog=_EXAMPLES, short_help="Rewrite training scripts for ORTModule.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=_ANY_PATH)
@click.option("-w", "--write", is_flag=True, help="Change the files in place.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=_ANY_PATH,
    help="Write the patched script to FILE (- for standard output), or, with {stem} in it, one "
    "beside each script; with --check, see that those are fresh.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file would change.")
@click.option("--revert", is_flag=True, help="Take back what --write did to unedited files.")
@click.option("--diff", is_flag=True, help="Show the diff also with --check, --write or -o.")
@click.option("--explain-diff", is_flag=True, help="A diff that says why each place changes.")
@click.option(
    "-i", "--interactive", is_flag=True, help="Walk through the steps and ask: rewrite, skip, view?"
)
@click.option(
    "--strict",
    is_flag=True,
    help="Exit 1 if a training step is refused or a `# ortwrap: skip` has nothing to skip.",
)
@click.option(
    "--format",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="What standard output carries.",
)
@click.option(
    "--stdin-filename", metavar="NAME", default="<stdin>", help="How messages name the input of -."
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("-v", "--verbose", is_flag=True, help="Also say what was done with each step.")
@click.option(
    "--class-name", metavar="NAME", callback=_class_name, help="Name of the generated class."
)
@click.option("--template", type=_EXISTING_FILE, help="Render the class from this Jinja file.")
@click.option(
    "--wrapper",
    "wrappers",
    metavar="NAME",
    multiple=True,
    help="A function that returns the model it is given, set up for training (repeatable).",
)
@click.option(
    "--sink",
    "sinks",
    metavar="NAME",
    multiple=True,
    help="A function that runs backward on its first argument (repeatable).",
)
@click.option(
    "--standalone",
    is_flag=True,
    help="A script that needs torch-ort only: no import of ortwrap, and no guards.",
)
@click.option("--config", type=_EXISTING_FILE, help="Read this pyproject.toml instead of looking.")
@click.option(
    "--force-exclude", is_flag=True, help="Leave out excluded files also when they are named."
)
def command(**given: Any) -> int:
    """Lift the forward pass and the loss of each training step into one module.

    PATH is a script, a folder that is searched for .py files, or - for standard
    input. Without --write, -o or --check the diff goes to standard output and
    nothing is written. Steps that cannot be rewritten safely are left as they
    are, each with a code that `ortwrap explain CODE` explains.
    """
    request = Request(**given)
    reject_contradictions(request)
    if request.interactive:
        from ortwrap.cli.interactive import walk_through

        return walk_through(request)
    if request.revert:
        from ortwrap.cli.reverting import revert

        return revert(request)
    from ortwrap.cli.delivery import deliver

    return deliver(request)
