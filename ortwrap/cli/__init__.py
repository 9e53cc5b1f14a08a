"""The `ortwrap` command: arguments in, printing out, no logic of its own."""

from __future__ import annotations

import gc
import io
import os
import sys


def main() -> None:
    """Run the command line; exit codes are 0, 1 and 2 as black and ruff have them.

    130 is the shell's own code for a run that was interrupted.
    """
    # A short process that builds trees: collecting them costs more than it frees.
    gc.set_threshold(100_000, 50, 50)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(_run())


def _run() -> int:
    import click

    from ortwrap.cli.app import app

    try:
        code = app.main(prog_name="ortwrap", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("ortwrap: interrupted", err=True)
        return 130
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; leave nothing for Python to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from ortwrap.files import internal_error

        click.echo(f"ortwrap: {internal_error(error)}", err=True)
        return 2
    return int(code or 0)
