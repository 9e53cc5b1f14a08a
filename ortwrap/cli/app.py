"""The group of commands; each is imported only when it is called."""

from __future__ import annotations

from importlib import import_module

import click

from ortwrap import __version__

_COMMANDS = ("rewrite", "verify", "bench", "doctor", "explain")


class _LazyGroup(click.Group):
    """Finds the command `name` as `command` in the module `ortwrap.cli.name`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            if args[0].startswith("-"):
                raise
            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            if args[0].endswith((".py", ".ipynb")):
                near = [f"rewrite {args[0]}"]
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from None

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"ortwrap.cli.{cmd_name}").command
        return command


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Exit codes: 0 all done, 1 a check found something, 2 wrong usage or input.
Completion: eval "$(_ORTWRAP_COMPLETE=bash_source ortwrap)", or zsh, or fish.
""",
)
@click.version_option(__version__, prog_name="ortwrap")
def app() -> None:
    """Train a PyTorch script's model and loss as one ONNX Runtime graph.

    \b
    ortwrap rewrite train.py                show what would change
    ortwrap rewrite train.py --write        change it
    ortwrap doctor --fix                    make ORTModule work with this torch
    ortwrap verify train.py -- --epochs 1   same losses, same weights?
    ortwrap bench train.py -- --epochs 1    and how much faster?
    """
