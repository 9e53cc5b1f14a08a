"""The words of a name, written as those of a class or of a variable."""

from __future__ import annotations

import re

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def as_variable(class_name: str) -> str:
    """NetDWithLoss -> net_d_with_loss."""
    return _WORD_STARTS.sub("_", class_name).lower()


def as_class(name: str) -> str:
    """net_d.loss -> NetDLoss."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[._]+", name) if word)
