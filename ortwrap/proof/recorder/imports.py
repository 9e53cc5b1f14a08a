"""Run something when a module has just been imported, and not before."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from typing import Callable


class _Notifier(MetaPathFinder):
    """Lets the other finders find, and calls back once the module has been executed."""

    def __init__(self, callbacks: dict[str, Callable[[], None]]) -> None:
        self._callbacks = callbacks
        self._sought: set[str] = set()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._callbacks or fullname in self._sought:
            return None
        self._sought.add(fullname)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._sought.discard(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_call_back(module: types.ModuleType) -> None:
            execute(module)
            # Many look for a module without importing it, so it counts only now.
            if callback := self._callbacks.pop(fullname, None):
                callback()

        spec.loader.exec_module = execute_and_call_back  # type: ignore[method-assign]
        return spec


def when_imported(callbacks: dict[str, Callable[[], None]]) -> None:
    """Call each callback right after the module of that name is imported.

    A script pays for no import it does not make itself: importing torch in every helper
    process that a script starts would cost seconds.
    """
    pending = {name: call for name, call in callbacks.items() if name not in sys.modules}
    for name in callbacks.keys() - pending.keys():
        callbacks[name]()
    sys.meta_path.insert(0, _Notifier(pending))
