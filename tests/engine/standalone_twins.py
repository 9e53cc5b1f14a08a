"""Run scripts and their `--standalone` twins under ORTModule as it is, without ortwrap's runtime.

    python tests/engine/standalone_twins.py CASE...

Two things are not as a user of torch-ort has them: the differences between ORTModule 1.19.2 and
this torch are bridged first, and `torch_ort`, which pip cannot install beside the CPU build of
onnxruntime-training, is the two lines of `shims/`. None of ortwrap's operators is registered.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from engine_cases import CASES
from recorded_run import assert_same, run

from ortwrap.engine.options import Options
from ortwrap.runtime import compat


def main(names: list[str]) -> None:
    """Entry point; an assertion fails where a twin trains otherwise."""
    sys.path.insert(0, str(Path(__file__).parent / "shims"))
    compat.apply()
    from torch_ort import ORTModule

    made: list[ORTModule] = []
    construct = ORTModule.__init__

    def recording(self: ORTModule, *args: Any, **kwargs: Any) -> None:
        construct(self, *args, **kwargs)
        made.append(self)

    for case in (case for case in CASES if case.name in names):
        text = case.rewritten(Options(standalone=True)).text
        assert "ortwrap" not in text
        before = run(case.before, case.path)
        made.clear()
        ORTModule.__init__ = recording
        after = run(text, case.path)
        ORTModule.__init__ = construct
        # The wrapper is a module of its own here, unlike the one of `ort_module`.
        after.state = {key: value for key, value in after.state.items() if key in before.state}
        assert_same(before, after, tolerance=1e-5)
        print(f"{case.name}: {sum(map(_trained, made))} graphs")


def _trained(module: Any) -> bool:
    """It built a training graph and did not fall back to PyTorch."""
    if not hasattr(module._torch_module, "_execution_manager"):
        return False
    return module._torch_module._execution_manager(True)._onnx_models.optimized_model is not None


if __name__ == "__main__":
    main(sys.argv[1:])
