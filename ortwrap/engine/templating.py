"""Where the Jinja templates lie, in a checkout and in an installed wheel."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template

_PACKAGE = Path(__file__).resolve().parent.parent


def template_folder() -> Path:
    """The folder of templates: `ortwrap/templates` in a wheel, `templates` beside it in a checkout.

    Raises:
        FileNotFoundError: the installation is broken.
    """
    for folder in (_PACKAGE / "templates", _PACKAGE.parent / "templates"):
        if (folder / "module_with_loss.py.j2").is_file():
            return folder
    raise FileNotFoundError(f"no templates beside {_PACKAGE}: reinstall ortwrap")


@lru_cache(maxsize=8)
def load_template(name: str, override: Path | None = None) -> Template:
    """A template by name, or the user's own file in its place.

    Raises:
        FileNotFoundError: there is no such file.
        jinja2.TemplateSyntaxError: the user's template is no Jinja template.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    path = override if override is not None else template_folder() / name
    return environment.from_string(path.read_text(encoding="utf-8"))
