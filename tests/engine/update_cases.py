"""Write after.py of the named cases (or of those that have none) and show it as a diff to be read.

    python tests/engine/update_cases.py [CASE...]
    python tests/engine/update_cases.py --all     # after a change of the engine: then read git diff

What is written is what the engine does today. It is only right once someone has read it.
"""

from __future__ import annotations

import argparse
import difflib
from pathlib import Path

from engine_cases import rewrite_beside

CASES = Path(__file__).parent / "cases"


def update(case: Path) -> None:
    """Rewrite one case and print its diff and its refusals."""
    before = (case / "before.py").read_text(encoding="utf-8")
    result = rewrite_beside(case / "before.py", before)
    print(f"==== {case.name}")
    for step in result.steps:
        if step.status != "rewritten":
            print(f"!! line {step.line}: {step.status} {step.code} {step.message}")
    diff = difflib.unified_diff(before.splitlines(), result.text.splitlines(), lineterm="", n=1)
    print("\n".join(list(diff)[2:]))
    if result.status == "rewritten":
        (case / "after.py").write_text(result.text, encoding="utf-8")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", help="names of folders in tests/engine/cases")
    parser.add_argument("--all", action="store_true", help="every case, also those that have one")
    options = parser.parse_args()
    for before in sorted(CASES.glob("*/before.py")):
        case = before.parent
        unread = not options.cases and not (case / "after.py").exists()
        if options.all or unread or case.name in options.cases:
            update(case)


if __name__ == "__main__":
    main()
