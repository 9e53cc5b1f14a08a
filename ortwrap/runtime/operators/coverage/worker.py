"""A process that runs cases one after the other, so that one that dies takes no other along.

    python -m ortwrap.runtime.operators.coverage.worker ortwrap < names

Reads "family/number" lines and answers each with a line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from .outcome import Outcome


def serve(load: Callable[[], tuple[Mapping[str, Sequence[Any]], Callable[..., Outcome]]]) -> None:
    """Serves cases until the input ends.

    Args:
        load: imports and returns the table, by family, and what runs a row of it under a backend.
    """
    backend = sys.argv[1]
    # Whatever libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    table, run = load()
    for line in sys.stdin:
        family, number = line.strip().rsplit("/", 1)
        # What failed in one case is no reason to run another one eagerly.
        with tempfile.TemporaryDirectory() as notes:
            os.environ["ORTWRAP_CACHE"] = notes
            outcome = run(table[family][int(number)], backend)
        print(json.dumps(outcome.to_json()), file=answers, flush=True)


def _load() -> tuple[Mapping[str, Sequence[Any]], Callable[..., Outcome]]:
    from .cases import CASES
    from .trial import run

    return CASES, run


if __name__ == "__main__":
    serve(_load)
