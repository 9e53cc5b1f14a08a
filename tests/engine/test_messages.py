"""What a refusal quotes of the script is short, and says where it goes on."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

HEAD = "import torch\nfrom torch import nn\n\nmodel = nn.Linear(4, 2)\ncriterion = nn.MSELoss()\n"

QUOTED = [
    (
        "a long statement, up to a word",
        "mel = spectrum(pictures, sampling_rate, number_of_channels, lowest, highest)",
        "`mel = spectrum(pictures, sampling_rate, number_of_channels, ...`",
    ),
    ("a block of statements", "for each in waves:\n        play(each)", "`for each in waves: ...`"),
    ("a short statement, whole", "play(waves)", "`play(waves)`"),
]


@pytest.mark.parametrize(
    ("statement", "quoted"), [row[1:] for row in QUOTED], ids=[row[0] for row in QUOTED]
)
def test_code_is_quoted(statement: str, quoted: str) -> None:
    text = (
        f"from sound import play, spectrum\n{HEAD}\n\ndef train(x, y, waves):\n"
        f"    out = model(x)\n    {statement}\n"
        "    loss = criterion(out, y)\n    loss.backward()\n"
    )
    (step,) = rewrite_source(text).steps
    assert step.code == "OW203"
    assert quoted in step.message
