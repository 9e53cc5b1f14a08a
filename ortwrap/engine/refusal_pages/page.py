"""What is told of one reason for which a step is left as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What many examples begin with.
HEAD = "import torch\nfrom torch import nn\n\nmodel = nn.Linear(4, 2)\ncriterion = nn.MSELoss()\n"


@dataclass(frozen=True)
class RefusalPage:
    """What `ortwrap explain CODE` shows.

    Attributes:
        code: `OW1xx` analysis, `OW2xx` graph and order, `OW3xx` what ORT cannot do.
        title: a few words.
        message: one sentence with the user's own names put in by `str.format`.
        advice: one sentence on what to change, with the same names.
        reason: why a rewrite could be wrong.
        example: a script that is refused with this code.
    """

    code: str
    title: str
    message: str
    advice: str
    reason: str
    example: str

    @property
    def advice_for_all(self) -> str:
        """The advice where no script gives its names: `<name>` stands for the user's own."""
        return re.sub(r"`\{(\w+)\}`", r"<\1>", self.advice)


class Section(dict[str, RefusalPage]):
    """Pages by their codes."""

    def add(
        self, code: str, title: str, message: str, advice: str, reason: str, example: str
    ) -> None:
        """Add a page; see `RefusalPage`."""
        self[code] = RefusalPage(code, title, message, advice, reason, example)
