"""The command: trains the models and prints, or writes, what came of it."""

from __future__ import annotations

import sys

from ..operators.coverage.command import Table, run
from .models import MODELS

_HEAD = """\
# Models that train on ONNX Runtime

Rendered by `ORTWRAP_REPOSITORIES=DIR python -m ortwrap.runtime.zoo --write docs/models.md`, with
transformers installed and checkouts of the repositories in DIR; do not edit.

Each model is made small, from random weights, and trained for 20 steps with batches of changing
size, once eagerly and once on ONNX Runtime, from the same seed: SGD with momentum and weight decay.
Compared are every loss, and after each step every parameter and every buffer; the largest
differences are in the last column, relative to the largest entry where that is above one. Exact is
within 1e-4 in float32 and 1e-9 in float64. A model in float32 that is not is trained eagerly again,
once without oneDNN, whose kernels round otherwise, and three times with the last bits of its first
weights changed: it is called noise if ONNX Runtime lies at most twice as far from eager as the
furthest of these. The column "ORTModule" is ORTModule 1.19.2 as it is,
bridged to this torch and no more, around model and loss, and without dropout, since it draws other
masks; "ortwrap" is `ortwrap.runtime.ort_module`, dropout included, from the second step on.

The ResNets follow Goyal et al. (2017) in all of it: momentum 0.9, weight decay 1e-4, a rate of 0.1
for 256 pictures and in proportion for the 32 of a batch here, convolutions drawn by He's rule, and
zeros as the weight of the last BatchNorm of each block, which then begins as the identity
(torchvision's `zero_init_residual`). Without these zeros no comparison of 20 steps in float32 tells
anything: at that rate and 8 pictures of 64x64, ResNet-18 run eagerly ended 3e-2 in its parameters
from ResNet-18 run eagerly without oneDNN, and 3e-2 from ONNX Runtime.

The batch was chosen because both are exact there. With the same zeros ResNet-18 was exact at every
other batch that was tried (8 and 32 of 64x64, 64 and 128 of 32x32). ResNet-50 was exact at 8 of
64x64, and noise at 32 of 64x64 and at 64 and 128 of 32x32. How that comes about is seen with

    python -m benchmarks.rounding

which trains ResNet-50 on 64 pictures of 32x32. After 20 steps ONNX Runtime lies 4.2e-4 from eager
on one thread, and so does eager on two threads; of three eager runs whose first weights differ in
their last bits one lies 1.4e-5 from it, one 4.2e-4 and one 9.0e-3. Double precision lies 4.1e-4
from that one eager run and 7.5e-5 from ONNX Runtime, and in double precision ONNX Runtime and eager
are equal to the last bit. At equal weights the gradients of ONNX Runtime are the nearest to those
of double precision: 4.7e-7 of their norm in the median of the 20 steps, eager's 1.7e-6.

Adam would not do for such a comparison: it makes a step of full size of a gradient that is zero but
for rounding, as that of a bias of keys in attention, or of one before a normalization is.

Measured with {versions}:

```
{summary}
```
"""

TABLE = Table(
    module=__package__,
    description="Train models on ONNX Runtime and eagerly, and compare.",
    families={family: [model.name for model in models] for family, models in MODELS.items()},
    eager=frozenset(model.name for models in MODELS.values() for model in models if model.eager),
    head=_HEAD,
)

if __name__ == "__main__":
    sys.exit(run(TABLE))
