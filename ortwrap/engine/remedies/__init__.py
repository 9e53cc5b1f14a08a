"""What the user can write instead: each refusal's example once more, in a form that is rewritten.

Only pages read this. Of OW205 the penalty stays as it is and the rest of the loss is rewritten; of
OW312 the step is on ONNX Runtime already. OW901 has none: its cause is a mistake of ortwrap's.
"""

from __future__ import annotations

from ortwrap.engine.remedies import analysis, onnx_runtime, order

REMEDIES: dict[str, str] = {**analysis.REMEDIES, **order.REMEDIES, **onnx_runtime.REMEDIES}
