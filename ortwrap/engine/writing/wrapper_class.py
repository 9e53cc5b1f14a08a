"""The generated class as data: its methods, and which classes are the same but for names."""

from __future__ import annotations

import io
import tokenize
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.options import Options
from ortwrap.engine.templating import InvalidTemplate, render
from ortwrap.engine.text.nodes import stored_names


@dataclass(frozen=True)
class Method:
    """A method of the generated class.

    Attributes:
        parameters: without `self`.
        body: indented source text that ends in a newline.
    """

    parameters: tuple[str, ...]
    body: str


@dataclass(frozen=True)
class WrapperClass:
    """The generated class, but for its name.

    Attributes:
        parts: constructor parameters.
        spread: the last one, which takes the modules of a list; empty if none does.
        built: attributes that the constructor makes itself, with what follows `nn.` there.
        compute_loss: the loss by itself, where the slice divides into a forward pass and a loss.
        forward: runs the model and the loss.
    """

    parts: tuple[str, ...]
    spread: str
    built: tuple[tuple[str, str], ...]
    compute_loss: Method | None
    forward: Method

    def shape(self) -> tuple[object, ...]:
        """The class with its parameters and locals numbered: equal shapes can share a class."""
        methods = [method for method in (self.compute_loss, self.forward) if method is not None]
        return (self.parts, self.spread, self.built, *(_numbered(method) for method in methods))

    def render(
        self,
        name: str,
        base: str,
        shadows_super: bool,
        origin: str,
        indent: str,
        quotes: str,
        line_length: int,
        options: Options,
    ) -> str:
        """Source text of the class, ending in a newline.

        Raises:
            InvalidTemplate: the user's own template cannot be used.
        """
        values = {
            "name": name,
            "base": base,
            "shadows_super": shadows_super,
            "origin": origin,
            "indent": indent,
            "quotes": quotes,
            "line_length": line_length,
            "parts": self.parts,
            "spread": self.spread,
            "module_list": base.replace("Module", "ModuleList"),
            "built": [(name, base.replace("Module", made)) for name, made in self.built],
            "compute_loss": self.compute_loss,
            "forward": self.forward,
        }
        text = render("module_with_loss.py.j2", values, options.template)
        if self.spread and options.template is not None and f"*{self.spread}" not in text:
            why = f"of a class that takes the modules of a list, it leaves out `*{self.spread}`"
            raise InvalidTemplate(options.template, why)
        return text


def _numbered(method: Method) -> tuple[str, ...]:
    """The tokens of a method, names that it binds replaced by their order of appearance."""
    if any(parameter.startswith("*") for parameter in method.parameters):
        return (*method.parameters, method.body)
    source = f"def f({', '.join(method.parameters)}):\n{method.body}"
    bound = set(method.parameters) | stored_names(cst.parse_module(source))
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    numbers: dict[str, str] = {}
    words: list[str] = []
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token.string in "([{" and token.string != "") - (
            token.string in ")]}" and token.string != ""
        )
        attribute = index > 0 and tokens[index - 1].string == "."
        keyword = depth > 0 and tokens[min(index + 1, len(tokens) - 1)].string == "="
        if token.type == tokenize.COMMENT:
            continue
        if token.type == tokenize.NAME and token.string in bound and not attribute and not keyword:
            words.append(numbers.setdefault(token.string, f"${len(numbers)}"))
        else:
            words.append(token.string)
    return tuple(words)
