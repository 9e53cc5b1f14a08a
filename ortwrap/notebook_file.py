"""The file of a notebook: read and checked by nbformat, written as its own editor wrote it.

Jupyter sorts keys and indents by one blank; Colab and VS Code do neither. A notebook that came out
in another layout would be one difference from its first line to its last.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

_INDENT = re.compile(r"\A\s*[{\[]\r?\n([ \t]+)")


def read_notebook(data: bytes) -> dict[str, Any]:
    """The notebook in a file's bytes, keys in the order of the file.

    Raises:
        ValueError: it is none, or of a format before 4.
    """
    nbformat: Any = import_module("nbformat")
    content = json.loads(data.decode("utf-8"))
    if not isinstance(content, dict) or content.get("nbformat") != 4:
        raise ValueError("it is not in notebook format 4; save it anew with Jupyter")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # missing cell ids: none of our business
            nbformat.validate(content)
    except nbformat.ValidationError as error:
        raise ValueError(str(error).strip().split("\n")[0]) from error
    return content


def written_notebook(content: dict[str, Any], before: bytes) -> bytes:
    """The bytes of a notebook in the layout that the file had."""
    text = before.decode("utf-8")
    newline = "\r\n" if "\r\n" in text else "\n"
    end = text[len(text.rstrip()) :]
    original = json.loads(text)
    layouts = list(_layouts(text))
    as_before = text.rstrip().replace("\r\n", "\n")
    fitting = (each for each in layouts if json.dumps(original, **each) == as_before)
    written = json.dumps(content, **next(fitting, layouts[0])).replace("\n", newline)
    return f"{written}{end}".encode()


def _layouts(text: str) -> Iterator[dict[str, Any]]:
    """What `json.dumps` may have been told, the most usual first."""
    indent = _INDENT.match(text)
    for separators in ((",", ": "), (",", ":")) if indent else ((", ", ": "), (",", ":")):
        for ensure_ascii in (False, True):
            yield {
                "indent": indent.group(1) if indent else None,
                "separators": separators,
                "ensure_ascii": ensure_ascii,
            }


def source_of(cell: dict[str, Any]) -> str:
    """The text of a cell, which files hold as one string or line by line."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def put_source(cell: dict[str, Any], text: str) -> None:
    """Give a cell another text, in the form that it has; one that has it already stays as it is."""
    if source_of(cell) != text:
        cell["source"] = text if isinstance(cell["source"], str) else text.splitlines(True)


def cell_like(cell: dict[str, Any], kind: str, text: str) -> dict[str, Any]:
    """A new cell as the notebook has them: ids came with format 4.5.

    Its id is always the same, so that a second rewrite of the same notebook gives the same bytes.
    """
    import hashlib  # OpenSSL takes 15 ms to load: only where it is used

    new: dict[str, Any] = {"cell_type": kind, "metadata": {}}
    if kind == "code":
        new.update(execution_count=None, outputs=[])
    if "id" in cell:
        new["id"] = hashlib.sha256(text.encode()).hexdigest()[:8]
    new["source"] = text if isinstance(cell.get("source"), str) else text.splitlines(True)
    order = [*(key for key in cell if key in new), *sorted(new)]
    return {key: new[key] for key in dict.fromkeys(order)}
