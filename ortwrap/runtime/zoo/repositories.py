"""Models of public repositories, where `$ORTWRAP_REPOSITORIES` names a folder of checkouts.

    ORTWRAP_REPOSITORIES=/work/repos python -m ortwrap.runtime.zoo --only repositories

A checkout of github.com/OWNER/NAME is the folder OWNER+NAME in it. Those that are not there are
left out of the table.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn

from .model import Model, Update
from .sequences import WORDS, LossSecond, words_before_others


def _imported(repository: str, module: str) -> Any:
    path = str(_folder() / repository)
    if path not in sys.path:
        sys.path.insert(0, path)
    return importlib.import_module(module)


def _folder() -> Path:
    return Path(os.environ.get("ORTWRAP_REPOSITORIES", "."))


def _nano_gpt() -> nn.Module:
    module = _imported("karpathy+nanoGPT", "model")
    config = module.GPTConfig(
        block_size=16, vocab_size=WORDS, n_layer=2, n_head=4, n_embd=32, dropout=0.1
    )
    model: nn.Module = module.GPT(config)
    return model


def _mini_gpt() -> nn.Module:
    module = _imported("karpathy+minGPT", "mingpt.model")
    config = module.GPT.get_default_config()
    config.model_type = "gpt-nano"
    config.vocab_size, config.block_size = WORDS, 16
    model: nn.Module = module.GPT(config)
    return model


def _models() -> Iterator[Model]:
    for name, make, repository in (
        ("nanoGPT", _nano_gpt, "karpathy+nanoGPT"),
        ("minGPT", _mini_gpt, "karpathy+minGPT"),
    ):
        if (_folder() / repository).is_dir():
            yield Model(name, make, words_before_others, (Update(LossSecond),))


MODELS = tuple(_models())
