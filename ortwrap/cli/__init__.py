"""The `ortwrap` command: arguments in, printing out, no logic of its own."""

from __future__ import annotations

import gc
import io
import os
import sys
from contextlib import suppress


def main() -> None:
    """Run the command line; exit codes are 0, 1 and 2 as black and ruff have them.

    130 is the shell's own code for a run that was interrupted.
    """
    # A short process that builds trees: collecting them costs more than it frees.
    gc.set_threshold(400_000, 50, 50)
    _open_missing_streams()
    code = run()
    if "torch" in sys.modules:
        sys.exit(code)
    # Taking syntax trees apart at exit is an eighth of a run's time; nothing waits for it.
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(code)


def _open_missing_streams() -> None:
    """A daemon or `>&-` starts programs with streams closed, which Python has as None."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def run() -> int:
    """The command line of `sys.argv` in this process; its exit code, whatever happens."""
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
        _forget_output()  # the reader (`| head`) has seen enough
        return 0
    except Exception as error:
        _forget_output()
        click.echo(f"ortwrap: {_reason(error)}", err=True)
        return 2
    return int(code or 0)


def _forget_output() -> None:
    """Leave nothing for Python to flush at exit, where it could only fail again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and error.filename is None:
        return f"{error.strerror}: name a folder that has room in TMPDIR"
    if isinstance(error, OSError) and error.filename is None:
        # Of files every error is handled where they are; only a stream has no name.
        return f"standard output: {(error.strerror or str(error)).lower()}"
    from ortwrap.files import internal_error

    return internal_error(error)
