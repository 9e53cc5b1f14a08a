"""One run of a script under the recorder, in a fresh copy of its folder."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable

from ortwrap.proof.execution import read_reports
from ortwrap.proof.patched import Patched
from ortwrap.proof.printed import Printed
from ortwrap.proof.put_back import put_back
from ortwrap.proof.recorder.config import RecorderConfig, Variant
from ortwrap.proof.recorder.copy_up import copy_up
from ortwrap.proof.recorder.outside import JOURNAL
from ortwrap.proof.recording import Recording, read_recordings
from ortwrap.proof.runner import Ended, run_recorded, steps_of_the_lost
from ortwrap.proof.sandbox import Sandbox, sandbox
from ortwrap.proof.verdict import WrapperReport

_RELATIVE_IMPORT = re.compile(rb"^\s*from\s+\.", re.MULTILINE)
_IMPORTED = re.compile(rb"^\s*(?:from|import)\s+(\w+)", re.MULTILINE)
# Lines of a failed script's output worth repeating.
_TAIL_LINES = 25
_TRACEBACK_LINES = 8
_TRACEBACK = "Traceback (most recent call last):"
_ERROR = re.compile(
    r"^(?:[\w.]+\.)?([A-Z]\w*(?:Error|Exception|Unsupported)\b.{0,300})", re.MULTILINE
)
_ASKED_FOR_INPUT = (
    ": it asks for input, and a run that is compared is given none; hand over what it asks for as "
    "an argument, or in the environment"
)

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Setting:
    """What every run of one verification has in common.

    Attributes:
        script: the user's script.
        args: its arguments.
        cwd: the folder that its user starts it in.
        steps: optimizer steps to record.
        seed: seed of every generator.
        keep_dropout: leave dropout on.
        transparent: names of generated wrapper classes.
        launcher: what stands before the script on the command line.
        timeout: seconds that one run may take.
        workspace: where sandboxes and recordings go.
        also: further files that are rewritten; imports find their copies first.
        only_time: record no gradients and weights.
        on_progress: called with the side, steps made and steps wanted.
    """

    script: Path
    args: tuple[str, ...]
    cwd: Path
    steps: int
    seed: int
    keep_dropout: bool
    transparent: tuple[str, ...]
    launcher: tuple[str, ...]
    timeout: float | None
    workspace: Path
    also: tuple[Path, ...] = ()
    only_time: bool = False
    on_progress: OnProgress = lambda side, made, wanted: None


def setting_of(
    script: Path,
    twin: Patched,
    workspace: Path,
    *,
    args: Sequence[str],
    cwd: Path | None,
    launcher: Sequence[str],
    also: Sequence[Path],
    **choices: Any,
) -> Setting:
    """A setting of what a caller gives as it comes: relative paths, no folder, no launcher.

    Args:
        script: the user's script.
        twin: its patched twin.
        workspace: where sandboxes and recordings go.
        args: the script's arguments.
        cwd: the folder to start it in; the current one when None.
        launcher: what stands before it; Python where that is nothing.
        also: further files that are rewritten.
        choices: the other fields of `Setting`.
    """
    return Setting(
        script=script.resolve(),
        args=tuple(args),
        cwd=(cwd or Path.cwd()).resolve(),
        transparent=twin.classes,
        launcher=found_launcher(launcher),
        workspace=workspace,
        also=tuple(also),
        **choices,
    )


@dataclass(frozen=True)
class Trial:
    """What one run gave.

    Attributes:
        ended: how its process ended.
        recordings: one for each process that trained, by rank.
        reports: what its wrappers said they ran.
        output: the end of what it printed, in the user's paths.
        failure: why its steps are not all there, as a clause; None when nothing failed.
        outside: files that it wrote outside of its copies, and that were put back.
        lost_after: steps made by a process that was killed, or still hung, when the run failed.
    """

    ended: Ended
    recordings: tuple[Recording, ...]
    reports: tuple[WrapperReport, ...]
    output: str
    failure: str | None
    outside: tuple[str, ...] = ()
    lost_after: int | None = None

    @property
    def printed(self) -> tuple[tuple[Printed, ...], ...]:
        """The losses and scores in its output, process by process."""
        if len(self.recordings) == 1:  # all that the helpers of this one print is its own
            return (self.ended.printed,)
        return tuple(recording.printed for recording in self.recordings)

    @property
    def steps(self) -> int:
        """Steps made by the process that made fewest."""
        return _steps(self.recordings, self.lost_after)


def run_trial(
    setting: Setting,
    side: str,
    *,
    twin: Patched | None = None,
    nudge: float = 0.0,
    variant: Variant = "",
    seed_shift: int = 0,
) -> Trial:
    """Run the script, or its patched twin in its place.

    Args:
        setting: what all runs have in common.
        side: a name for this run, unique within its workspace.
        twin: the text to run under the script's name, and those of further files; the
            user's own when None.
        nudge: relative change of the parameters at each step.
        variant: how the models are called.
        seed_shift: what to add to every seed, those that the script sets itself included.
    """
    out = setting.workspace / side
    out.mkdir()
    with sandbox(setting.script, setting.cwd, setting.workspace) as place:
        if twin is not None:
            place.script.write_bytes(twin.source)
            for path, content in twin.others:
                _overwrite(path, content, place)
        config = RecorderConfig(
            out=str(out),
            steps=setting.steps,
            seed=setting.seed,
            keep_dropout=setting.keep_dropout,
            nudge=nudge,
            seed_shift=seed_shift,
            variant=variant,
            only_time=setting.only_time,
            transparent=setting.transparent,
            sandbox=str(place.root),
        )
        target = _target(place.script, place.cwd)
        outside: tuple[str, ...] = ()
        try:
            ended = run_recorded(
                [*setting.launcher, *target.arguments, *setting.args],
                cwd=place.cwd,
                config=config,
                search_first=target.search_first or (place.cwd if setting.also else None),
                timeout=setting.timeout,
                on_steps=lambda made: setting.on_progress(side, made, setting.steps),
                translate=place.in_copied_paths,
            )
        finally:
            outside = put_back(out / JOURNAL)
        recordings = read_recordings(out)
        failed = ended.timed_out or ended.returncode
        lost_after = steps_of_the_lost(out) if failed else None
        return Trial(
            ended=ended,
            recordings=recordings,
            reports=read_reports(out),
            output=place.in_users_paths(_tail(ended.output)),
            failure=_failure(ended, recordings, setting, lost_after),
            outside=outside,
            lost_after=lost_after,
        )


def _overwrite(path: Path, content: bytes, place: Sandbox) -> None:
    """Put a patched text where the copy of one of the user's files is, never into the file."""
    copy = place.copy_of(path)
    copy_up(str(copy), f"{place.root}{os.sep}", keep_content=True)
    copy.write_bytes(content)


def found_launcher(launcher: Sequence[str], python: str = sys.executable) -> tuple[str, ...]:
    """What stands before the script: Python, or the `torchrun` that belongs to it."""
    if not launcher:
        return (python,)
    beside = Path(python).parent / launcher[0]
    return (str(beside) if beside.is_file() else launcher[0], *launcher[1:])


@dataclass(frozen=True)
class _Target:
    """How the script is named behind `python`, and where its package is to be looked up."""

    arguments: tuple[str, ...]
    search_first: Path | None = None


def _target(script: Path, cwd: Path) -> _Target:
    """A module of a package that imports its neighbours relatively runs only as `-m pkg.module`.

    The path of any other script stays relative, because scripts print and compare
    `sys.argv[0]`.
    """
    package, text = _package_of(script), script.read_bytes()
    if package != script.parent and _RELATIVE_IMPORT.search(text):
        name = ".".join(script.relative_to(package).with_suffix("").parts)
        return _Target(("-m", name), search_first=package)
    path = str(script.relative_to(cwd)) if cwd in script.parents else str(script)
    return _Target((path,), search_first=_imported_folder(script, text, cwd))


def _imported_folder(script: Path, text: bytes, cwd: Path) -> Path | None:
    """Where the folder is that `src/train.py` is in and imports from: `from src.data import ...`.

    Its user starts it as `python -m src.train`, which puts that place on the path.
    """
    imported = {name.decode("utf-8", "replace") for name in _IMPORTED.findall(text)}
    for folder in script.parents:
        if folder == cwd or cwd not in folder.parents:
            return None
        beside = (script.parent / folder.name).exists()
        if folder.name in imported and not beside and find_spec(folder.name) is None:
            return folder.parent
    return None


def _package_of(script: Path) -> Path:
    """The folder that holds the outermost package around `script`; its own folder if none."""
    folder = script.parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def _tail(output: str) -> str:
    # A progress bar is one line that was written many times.
    lines = [line.rpartition("\r")[2] for line in output.replace("\r\n", "\n").split("\n")]
    last = lines[-_TAIL_LINES:]
    return "\n".join([*_first_traceback(lines[:-_TAIL_LINES]), *last]).strip()


def _first_traceback(lines: Sequence[str]) -> list[str]:
    """How the first traceback ends: what a launcher says of a process that failed comes later."""
    begins = next((n for n, text in enumerate(lines) if _TRACEBACK in text), None)
    if begins is None:
        return []
    indented = "  " + lines[begins].partition(_TRACEBACK)[0]
    ends = next((n for n in range(begins + 1, len(lines)) if not lines[n].startswith(indented)), -1)
    return [*lines[begins : ends + 1][-_TRACEBACK_LINES:], "..."] if ends > 0 else []


def _steps(recordings: Sequence[Recording], lost_after: int | None) -> int:
    made = [recording.steps for recording in recordings]
    return min([*made, *([] if lost_after is None else [lost_after])], default=0)


def _failure(
    ended: Ended, recordings: Sequence[Recording], setting: Setting, lost_after: int | None
) -> str | None:
    made = _steps(recordings, lost_after)
    if recordings and made >= setting.steps:
        return None
    after = f" after {made} of {setting.steps} steps" if made else ""
    raised = next((r for r in recordings if r.exception), None)
    if ended.timed_out:
        return f"took longer than {setting.timeout:g} s{after}"
    if ended.signal_name:
        return f"was killed by {ended.signal_name}{after}"
    if raised:
        where = f" in the process of rank {raised.rank}" if len(recordings) > 1 else ""
        return _raised((raised.exception or "").splitlines()[0], f"{where}{after}")
    error = _ERROR.findall(ended.output.rpartition(_TRACEBACK)[2])
    incomplete = not recordings or lost_after is not None
    if incomplete and ended.returncode and error and _TRACEBACK in ended.output:
        return _raised(error[-1], after or " before its first step")
    if lost_after is not None:
        return f"lost a process and ended with exit code {ended.returncode}{after}"
    if not recordings and ended.returncode:
        return f"ended with exit code {ended.returncode} before its first step"
    if not recordings:
        return "ended without a backward, and without a step of any torch optimizer"
    return None


def _raised(error: str, when: str) -> str:
    return f"raised {error}{when}{_ASKED_FOR_INPUT if error.startswith('EOFError') else ''}"
