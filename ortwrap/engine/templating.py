"""Jinja templates: where they lie, in a checkout and in an installed wheel, and the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template

_PACKAGE = Path(__file__).resolve().parent.parent


class InvalidTemplate(ValueError):
    """The user's own template cannot be used; the message names it and says why."""

    def __init__(self, path: Path, why: object) -> None:
        super().__init__(f"template {path}: {why}")


def template_folder() -> Path:
    """The folder of templates: `ortwrap/templates` in a wheel, `templates` beside it in a checkout.

    Raises:
        FileNotFoundError: the installation is broken.
    """
    for folder in (_PACKAGE / "templates", _PACKAGE.parent / "templates"):
        if (folder / "module_with_loss.py.j2").is_file():
            return folder
    raise FileNotFoundError(f"no templates beside {_PACKAGE}: reinstall ortwrap")


def render(name: str, values: Mapping[str, object], own: Path | None = None) -> str:
    """What a template makes of values.

    Args:
        name: of ortwrap's template.
        values: what the template speaks of.
        own: the user's file in its place.

    Raises:
        InvalidTemplate: the user's file cannot be read, or Jinja stumbles over it.
    """
    if own is None:
        return _template(template_folder() / name).render(values)
    try:
        return _template(own).render(values)
    except OSError as error:
        raise InvalidTemplate(own, (error.strerror or str(error)).lower()) from error
    except Exception as error:  # Jinja's own, and whatever an expression in the file raises
        line = getattr(error, "lineno", None)
        raise InvalidTemplate(own, f"{error} (line {line})" if line else error) from error


@lru_cache(maxsize=8)
def _template(path: Path) -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    return environment.from_string(path.read_text(encoding="utf-8"))
