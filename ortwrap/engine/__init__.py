"""Source text in, patched text out; nothing here touches the disk, a terminal or torch.

`text` is the script as text, `names` what its names refer to, `evidence` what its objects are, and
`effects` what its code does. `steps` finds training steps and the slices that their losses come
from, `captures` what goes into forward and comes out, `reasons` why a step is left as it is;
`writing` makes patched text of the plans. `pipeline` runs them one after the other.
"""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace

from ortwrap.engine.handed_on import hands_loss_on
from ortwrap.engine.names.neighbours import Neighbours
from ortwrap.engine.options import Options
from ortwrap.engine.result import InvalidSource, Result
from ortwrap.engine.text.suppression import skip_lines

__all__ = ["rewrite_source"]


_DEFAULTS = Options()
# Every file with a training step calls something with one of these in its name, ...
SINK_WORDS = ("backward", "scaler")
# ... or defines a method that returns its loss to a framework.
RETURNS_LOSS = ("training_step", "compute_loss")
# ... or leaves the whole step to one of these.
RUNS_STEPS = ("Trainer", "create_supervised_trainer")
LIBRARIES = ("transformers", "trl", "setfit", "ignite")


def rewrite_source(
    text: str, options: Options = _DEFAULTS, neighbours: Neighbours | None = None
) -> Result:
    """Lift the forward pass and the loss of each training step into a module.

    Args:
        text: the script, decoded, with whatever newlines it has.
        options: choices that change the text produced.
        neighbours: finds the other files of its project; None to look at the text alone.

    Returns:
        The patched text and a row for every training step found.

    Raises:
        InvalidSource: the text is not Python that can be parsed.
        InvalidTemplate: `options.template` cannot be used.
    """
    body = text[1:] if text.startswith("\ufeff") else text
    words = (*SINK_WORDS, *options.sinks)
    tree = _parse(body)
    if any(library in body for library in LIBRARIES):
        words = (*words, *RUNS_STEPS)
    mentioned = any(word in body for word in (*words, *RETURNS_LOSS))
    may_hold_a_step = mentioned and (tree is None or _uses(tree, words))
    if not may_hold_a_step and (
        tree is None or neighbours is None or not hands_loss_on(tree, neighbours)
    ):
        return Result(text, text, (), skip_lines(body))
    # LibCST takes a fifth of a second to import: only for files that need it.
    from ortwrap.engine.informed import rewrite

    result = rewrite(body, options, neighbours)
    bom = text[: len(text) - len(body)]
    return replace(result, source=text, text=bom + result.text)


def _uses(tree: ast.AST, words: Sequence[str]) -> bool:
    """Something is called whose name holds one of the words, or a framework's step defined."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _called(node.func)
        elif isinstance(node, ast.FunctionDef) and node.name in RETURNS_LOSS:
            return True
        else:
            continue
        if any(word in name for word in words):
            return True
    return False


def _called(func: ast.expr) -> str:
    """The name of what is called: also of `getattr(loss, "backward")`."""
    if isinstance(func, ast.Attribute):
        return func.attr
    if isinstance(func, ast.Call) and getattr(func.func, "id", "") == "getattr":
        return next((str(arg.value) for arg in func.args if isinstance(arg, ast.Constant)), "")
    return getattr(func, "id", "")


def _parse(text: str) -> ast.AST | None:
    """The syntax tree; None for a newer syntax than this interpreter's, which LibCST knows."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        # LibCST crashes on what CPython finds too deep; that is no matter of versions.
        too_deep = "too many" in (error.msg or "")
        if sys.version_info < (3, 13) and not too_deep and _libcst_parses(text):
            return None
        message = error.msg or "invalid syntax"
        raise InvalidSource(message, error.lineno or 1, error.offset or 1) from None
    except (RecursionError, MemoryError):
        raise InvalidSource("nested too deeply to be parsed", 1, 1) from None
    except ValueError as error:
        raise InvalidSource(str(error) or "cannot be parsed", 1, 1) from None


def _libcst_parses(text: str) -> bool:
    import libcst

    try:
        libcst.parse_module(text)
    except Exception:
        return False
    return True
