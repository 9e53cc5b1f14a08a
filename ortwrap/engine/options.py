"""What a user may choose about a rewrite."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """Choices that change the text a rewrite produces.

    Attributes:
        class_name: name of the generated class; a file with several different
            steps puts what each one trains in front of it.
        template: a Jinja file to render the class from instead of ortwrap's own.
        sinks: names of functions or methods that run backward on their first
            argument, in addition to those the engine knows.
        wrappers: names of functions or methods that return the model they are given, set up for
            training.
        line_length: how long generated lines may be; None for as long as the script's own.
        standalone: the patched script needs torch-ort only, and has no guards.
        leave: lines of sinks whose steps are left alone, as a `# ortwrap: skip` there would do.
    """

    class_name: str = "ModuleWithLoss"
    template: Path | None = None
    sinks: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ()
    line_length: int | None = None
    standalone: bool = False
    leave: tuple[int, ...] = ()
