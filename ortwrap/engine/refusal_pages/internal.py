"""OW9xx: mistakes of ortwrap's own."""

from __future__ import annotations

from ortwrap.engine.refusal_pages.page import Section

PAGES = Section()
_page = PAGES.add

_page(
    "OW901",
    "internal check failed",
    "the patched text did not pass ortwrap's own checks ({why})",
    "The file is unchanged; please report it with this message.",
    "Before anything is shown, the patched text must parse, resolve every name and stay the same "
    "under a second rewrite. There is no example, and nothing to write instead: what fails here is "
    "a mistake of ortwrap's, and would be mended if it were known.",
    "",
)
