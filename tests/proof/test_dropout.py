"""Dropout is turned off where a script compiles its model, too."""

from __future__ import annotations

import pytest

from tests.proof.conftest import SCRIPT, Check, replaced

COMPILED = {
    "by TorchScript": "model = torch.jit.script(Net())",
    "by dynamo, whole": "model = Net()\nmodel.compile(backend='eager', fullgraph=True)",
}

# What is only to compile: nothing trains it.
ALONE = """
torch.jit.script(nn.Sequential(nn.LSTM(4, 4, num_layers=2, dropout=0.5)))(torch.randn(2, 3, 4))
torch.jit.script(nn.TransformerEncoderLayer(4, 2))(torch.randn(2, 3, 4))
"""


@pytest.mark.parametrize("how", COMPILED)
def test_a_compiled_model_is_run_without_dropout(check: Check, how: str) -> None:
    compiled = replaced(SCRIPT, "model = Net()", f"{ALONE}{COMPILED[how]}")

    verdict = check(compiled, replaced(compiled, "nn.Dropout(0.5)", "nn.Dropout(0.0)"), steps=3)

    assert verdict.status == "match", (verdict.messages, verdict.output, verdict.first_difference)
