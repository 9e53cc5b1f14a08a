"""`python -m ortwrap`."""

from __future__ import annotations

from ortwrap.cli import main

if __name__ == "__main__":
    main()
