"""The command: runs the table of layers and losses and prints, or writes, what came of it."""

from __future__ import annotations

import sys

from .case import IN_DOUBLE
from .cases import CASES
from .command import Table, run

_HEAD = """\
# Layers and losses that train on ONNX Runtime

Rendered by `python -m ortwrap.runtime.operators.coverage --write docs/operators.md`; do not edit.

Each case is a small model that is trained for four steps with batches of changing size, once
eagerly and once on ONNX Runtime, from the same seed, in float32 and again with its parameters and
inputs in float64. Compared are the loss, the gradient of every parameter and of the input, and
every buffer, after each step: within 2e-5 in float32 and 1e-9 in float64, relative to the largest
entry. The column "ORTModule" is ORTModule 1.19.2 as it is, bridged to this torch and no more;
"ortwrap" is `ortwrap.runtime.ort_module`.

Measured with {versions}:

```
{summary}
```
"""

TABLE = Table(
    module=__package__,
    description="Train layers and losses on ONNX Runtime and eagerly, and compare.",
    families={family: [case.name for case in cases] for family, cases in CASES.items()},
    eager=frozenset(case.name for cases in CASES.values() for case in cases if case.eager),
    head=_HEAD,
    twins=IN_DOUBLE,
)

if __name__ == "__main__":
    sys.exit(run(TABLE))
