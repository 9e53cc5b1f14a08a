"""Folders that a project installs its packages from, beside the one that it stands in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from ortwrap.toml import TomlError, read_toml

# Where packages stand that no build file speaks of.
_USUAL = "src"
_IN_SETUP_PY = re.compile(r"package_dir\s*=\s*(?:\{\s*|dict\()(['\"])\1\s*:\s*(['\"])([\w./-]+)\2")


def source_folders(project: str) -> tuple[str, ...]:
    """The folders, with their paths, that exist: `src`, and what the build files name."""
    named = (_USUAL, *_of_pyproject(project), *_of_setup_cfg(project), *_of_setup_py(project))
    paths = dict.fromkeys(os.path.normpath(os.path.join(project, name)) for name in named)
    return tuple(path for path in paths if path != project and os.path.isdir(path))


def _of_pyproject(project: str) -> Iterator[str]:
    """What setuptools and Poetry are told there."""
    try:
        document = read_toml(os.path.join(project, "pyproject.toml"), (b"setuptools", b"poetry"))
    except TomlError:
        return
    setuptools = _table(document, "tool", "setuptools")
    yield from _texts([_table(setuptools, "package-dir").get("")])
    yield from _texts(_table(setuptools, "packages", "find").get("where"))
    packages = _table(document, "tool", "poetry").get("packages")
    for package in packages if isinstance(packages, list) else ():
        yield from _texts([package.get("from")] if isinstance(package, dict) else ())


def _of_setup_cfg(project: str) -> Iterator[str]:
    import configparser  # which few commands need

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(os.path.join(project, "setup.cfg"), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return
    for line in parser.get("options", "package_dir", fallback="").splitlines():
        package, _, folder = line.partition("=")
        if not package.strip():
            yield folder.strip()
    yield parser.get("options.packages.find", "where", fallback="").strip()


def _of_setup_py(project: str) -> Iterator[str]:
    try:
        with open(os.path.join(project, "setup.py"), encoding="utf-8") as file:
            found = _IN_SETUP_PY.search(file.read())
    except (OSError, UnicodeDecodeError):
        return
    if found is not None:
        yield found.group(3)


def _table(document: dict[str, Any], *path: str) -> dict[str, Any]:
    for name in path:
        inner = document.get(name)
        document = inner if isinstance(inner, dict) else {}
    return document


def _texts(values: Any) -> Iterator[str]:
    yield from (
        each for each in (values if isinstance(values, list) else ()) if isinstance(each, str)
    )
