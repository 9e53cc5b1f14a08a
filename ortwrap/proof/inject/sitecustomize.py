"""Starts the recorder in every Python process of a recorded run.

The runner puts this folder on PYTHONPATH, so that the script itself is started exactly as its
user starts it (`python train.py`, `python -m pkg.train`, `torchrun ...`) and so that processes
it starts are recorded too. Nothing happens unless the runner also set `ORTWRAP_RECORD`.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _run_the_sitecustomize_this_one_hides() -> None:
    """An environment may have its own `sitecustomize`; it must still run."""
    elsewhere = [entry for entry in sys.path if os.path.abspath(entry) != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _find_ortwrap() -> None:
    """A checkout that is not installed is found too, behind everything else."""
    if importlib.util.find_spec("ortwrap") is None:
        sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(_HERE))))


def _start() -> None:
    config = os.environ.get("ORTWRAP_RECORD")
    if config:
        _find_ortwrap()
        from ortwrap.proof.recorder import start

        start(config)


_run_the_sitecustomize_this_one_hides()
_start()
