"""A process that runs cases one after the other, so that one that dies takes no other along.

    python -m ortwrap.runtime.operators.coverage.worker ortwrap < names

Reads "family/number" lines and answers each with a line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import warnings


def main() -> None:
    """Serves cases until the input ends."""
    backend = sys.argv[1]
    # Whatever libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    from .cases import CASES
    from .trial import run

    for line in sys.stdin:
        family, number = line.strip().rsplit("/", 1)
        outcome = run(CASES[family][int(number)], backend)
        print(json.dumps(outcome.to_json()), file=answers, flush=True)


if __name__ == "__main__":
    main()
