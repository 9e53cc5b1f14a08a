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


@pytest.mark.parametrize(
    ("between", "told"),
    [
        ("play(out)", ""),
        (
            "play(out)\n    play(y)",
            " Line 11 stands in the way as well: nothing is known about `play`.",
        ),
        (
            "play(out)\n    play(y)\n    print(y)\n    play(x)\n    play(y)",
            " Lines 11, 13 and 14 stand in the way as well.",
        ),
        ("play(x); play(y)", ""),
    ],
)
def test_what_else_is_in_the_way_is_told_at_once(between: str, told: str) -> None:
    text = (
        f"from sound import play\n{HEAD}\ndef train(x, y):\n    out = model(x)\n    {between}\n"
        "    loss = criterion(out, y)\n    loss.backward()\n"
    )
    (step,) = rewrite_source(text).steps
    assert step.advice == f"Move this line before the model call or after the loss.{told}"
