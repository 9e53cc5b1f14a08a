"""`[tool.ortwrap]` of a project's pyproject.toml, checked key by key."""

from __future__ import annotations

import keyword
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ortwrap.engine.options import Options
from ortwrap.formatter import configured_line_length
from ortwrap.toml import TomlError, read_toml


class ConfigError(Exception):
    """A pyproject.toml that is no TOML, or says something about ortwrap that it does not know."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")


@dataclass(frozen=True)
class Config:
    """What a project has decided about its rewrites.

    Attributes:
        root: the folder that patterns and paths are relative to.
        include: gitignore patterns of the files a folder is searched for.
        exclude: gitignore patterns of what is left out of that search.
        class_name: see `Options`.
        template: see `Options`; None for ortwrap's own.
        sinks: see `Options`.
        wrappers: see `Options`.
        standalone: see `Options`.
        line_length: see `Options`; without a word of ours, what black or ruff are told.
        output: where patched scripts go, `{stem}` and `{name}` standing for the
            script's own; None for nowhere but where the command line says.
    """

    root: str = "."
    include: tuple[str, ...] = ("*.py",)
    exclude: tuple[str, ...] = ()
    class_name: str = Options.class_name
    template: str | None = None
    sinks: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ()
    standalone: bool = False
    line_length: int | None = None
    output: str | None = None

    def options(self) -> Options:
        """The engine's options as the project has them."""
        return Options(
            class_name=self.class_name,
            template=Path(self.template) if self.template else None,
            sinks=self.sinks,
            wrappers=self.wrappers,
            standalone=self.standalone,
            line_length=self.line_length,
        )


def find_config(paths: Sequence[str]) -> Config:
    """The configuration of the project that all of `paths` lie in; the defaults without one.

    Raises:
        ConfigError: as `load_config`.
    """
    folder = _common_folder(paths)
    line_length = None
    while True:
        candidate = os.path.join(folder, "pyproject.toml")
        document = _document(candidate) if os.path.isfile(candidate) else {}
        line_length = line_length or configured_line_length(folder, document)
        table = _table(document, candidate)
        if table is not None:
            return _with_line_length(_parse(table, candidate), line_length)
        parent = os.path.dirname(folder)
        if parent == folder or os.path.exists(os.path.join(folder, ".git")):
            return Config(line_length=line_length)
        folder = parent


def load_config(path: str) -> Config:
    """The configuration in one pyproject.toml; the defaults where it has none.

    Raises:
        ConfigError: unreadable, no TOML, an unknown key or a value of the wrong kind.
    """
    document = _document(path)
    line_length = configured_line_length(os.path.dirname(os.path.abspath(path)), document)
    return _with_line_length(_parse(_table(document, path) or {}, path), line_length)


def _with_line_length(config: Config, of_formatter: int | None) -> Config:
    return replace(config, line_length=config.line_length or of_formatter)


def _common_folder(paths: Sequence[str]) -> str:
    absolute = [os.path.abspath("." if path == "-" else path) for path in paths]
    try:
        common = os.path.commonpath(absolute)
    except ValueError:  # different drives
        common = os.getcwd()
    return common if os.path.isdir(common) else os.path.dirname(common)


def _document(path: str) -> Mapping[str, Any]:
    try:
        document = read_toml(path, (b"ortwrap", b"black", b"ruff"))
    except TomlError as error:
        raise ConfigError(path, str(error)) from error
    if not isinstance(document.get("tool", {}), dict):
        raise ConfigError(path, "tool must be a table")
    return document


def _table(document: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    table = document.get("tool", {}).get("ortwrap")
    if table is not None and not isinstance(table, dict):
        raise ConfigError(path, "tool.ortwrap must be a table")
    return table


def _parse(table: Mapping[str, Any], path: str) -> Config:
    values: dict[str, Any] = {"root": os.path.dirname(os.path.abspath(path))}
    for key, value in table.items():
        kind = _KINDS.get(key)
        if kind is None:
            raise ConfigError(path, f"[tool.ortwrap] has no key {key!r}{_suggestion(key)}")
        checked = kind.check(value)
        if checked is None:
            raise ConfigError(path, f"[tool.ortwrap] {key} must be {kind.name}, not {value!r}")
        values[key.replace("-", "_")] = checked
    if "template" in values:
        values["template"] = os.path.join(values["root"], values["template"])
        if not os.path.isfile(values["template"]):
            raise ConfigError(path, f"[tool.ortwrap] template: no such file: {table['template']}")
    return Config(**values)


def _suggestion(key: str) -> str:
    import difflib

    near = difflib.get_close_matches(key.replace("_", "-"), _KINDS, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(sorted(_KINDS))}"


@dataclass(frozen=True)
class _Kind:
    """What a value must be; `check` gives it as Config holds it, or None."""

    name: str
    check: Callable[[Any], Any]


def _names(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def _patterns(value: Any) -> tuple[str, ...] | None:
    """As git has them: a backslash is no separator, and would match nothing without a word."""
    from ortwrap.walk import is_pattern

    patterns = _names(value)
    wrong = any(re.search(r"\\[\w.]", each) or not is_pattern(each) for each in patterns or ())
    return None if wrong else patterns


def _class_name(value: Any) -> str | None:
    return value if isinstance(value, str) and is_class_name(value) else None


def is_class_name(text: str) -> bool:
    """Whether a class can have this name."""
    return text.isidentifier() and not keyword.iskeyword(text)


def _length(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _output(value: Any) -> str | None:
    if isinstance(value, str) and ("{stem}" in value or "{name}" in value):
        return value
    return None


_LIST = _Kind("a list of strings", _names)
_PATTERNS = _Kind("a list of gitignore patterns, with / between folders", _patterns)
_TEXT = _Kind("a string", lambda value: value if isinstance(value, str) else None)
_KINDS: Mapping[str, _Kind] = {
    "class-name": _Kind("a name that a class can have", _class_name),
    "exclude": _PATTERNS,
    "include": _PATTERNS,
    "line-length": _Kind("a number of characters", _length),
    "output": _Kind("a string with {stem} or {name} in it", _output),
    "sinks": _LIST,
    "standalone": _Kind("true or false", _flag),
    "template": _TEXT,
    "wrappers": _LIST,
}
