"""Whether ORTModule can train here, what is missing, and the mending of what ortwrap can mend.

Works in an environment that has neither torch nor onnxruntime, and imports neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from . import extensions
from .compat import checks
from .compat.cache import NotWritable
from .compat.compiler import BuildFailed
from .compat.environment import Environment, observe
from .compat.findings import Finding, Severity
from .compat.probe import try_training
from .compat.sources import PatchMismatch

__all__ = ["CannotFix", "Diagnosis", "Finding", "Severity", "diagnose", "fix", "undo"]


class CannotFix(RuntimeError):
    """Nothing was changed; the message says what is in the way and is meant to be printed."""


@dataclass(frozen=True)
class Diagnosis:
    """All findings, in the order in which to mend them."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether training on ONNX Runtime works here."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """0: all fits; 1: something is missing or does not fit."""
        return 0 if self.healthy else 1

    def to_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "healthy": self.healthy,
            "findings": [finding.to_json() for finding in self.findings],
        }


def diagnose(environment: Environment | None = None) -> Diagnosis:
    """Judges an environment, by default the one that runs this."""
    environment = observe() if environment is None else environment
    return Diagnosis(
        (
            checks.check_python(environment),
            checks.check_torch(environment),
            checks.check_onnx(environment),
            checks.check_onnxruntime(environment),
            checks.check_devices(environment),
            *checks.check_build_tools(environment),
            checks.check_extensions(environment),
            checks.check_training(environment),
        )
    )


def fix(progress: Callable[[str], None] = lambda message: None) -> tuple[Path, ...]:
    """Builds ORTModule's extensions, or takes them from the cache, and puts them in place.

    Extensions that somebody else built stay if they work.

    Args:
        progress: told, in one line, before something that takes minutes.

    Returns:
        The files that were added; empty when nothing was missing.

    Raises:
        CannotFix: something is in the way that only the user can mend.
    """
    try:
        if extensions.state() is extensions.State.FOREIGN and try_training().ok:
            return ()
        return extensions.install(progress)
    except (extensions.NotInstallable, NotWritable, BuildFailed, PatchMismatch) as error:
        raise CannotFix(str(error)) from error


def undo() -> tuple[Path, ...]:
    """Takes back what `fix` added to the installed onnxruntime; the cache stays.

    Returns:
        The files that were removed.

    Raises:
        CannotFix: the folder cannot be written to.
    """
    try:
        return extensions.uninstall()
    except NotWritable as error:
        raise CannotFix(str(error)) from error
