"""Source text in, patched text out; nothing here touches the disk, a terminal or torch."""

from __future__ import annotations

import ast
import sys
import warnings

from ortwrap.engine.options import Options
from ortwrap.engine.result import InvalidSource, Result

__all__ = ["rewrite_source"]


_DEFAULTS = Options()


def rewrite_source(text: str, options: Options = _DEFAULTS) -> Result:
    """Lift the forward pass and the loss of each training step into a module.

    Args:
        text: the script, decoded, with whatever newlines it has.
        options: choices that change the text produced.

    Returns:
        The patched text and a row for every training step found.

    Raises:
        InvalidSource: the text is not Python that can be parsed.
    """
    body = text[1:] if text.startswith("\ufeff") else text
    if not _parses(body) or not _mentions_a_sink(body, options):
        return Result(text, text, ())
    # LibCST takes a fifth of a second to import: only for files that need it.
    from ortwrap.engine.pipeline import rewrite

    result = rewrite(body, options)
    bom = text[: len(text) - len(body)]
    return Result(text, bom + result.text, result.steps)


def _mentions_a_sink(text: str, options: Options) -> bool:
    return any(word in text for word in ("backward", "scaler", *options.sinks))


def _parses(text: str) -> bool:
    """True when the text is Python; a newer syntax than this interpreter's is left to LibCST."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        if sys.version_info < (3, 13) and _libcst_parses(text):
            return True
        message = error.msg or "invalid syntax"
        raise InvalidSource(message, error.lineno or 1, error.offset or 1) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise InvalidSource(str(error) or "cannot be parsed", 1, 1) from None
    return True


def _libcst_parses(text: str) -> bool:
    import libcst

    try:
        libcst.parse_module(text)
    except Exception:
        return False
    return True
