"""The names in the code of a function: of attributes, of globals, and of files that it imports."""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Iterator, Mapping

# How many of an instruction's lowest bits say something else than which name it reads.
_GLOBALS = {
    dis.opmap[name]: bits
    for name, bits in (
        ("LOAD_GLOBAL", 1 if sys.version_info >= (3, 11) else 0),
        ("LOAD_NAME", 0),
        ("LOAD_FROM_DICT_OR_GLOBALS", 0),
    )
    if name in dis.opmap
}
_IMPORTS = {dis.opmap["IMPORT_NAME"]: 0}
_LOADS_A_METHOD = frozenset(["LOAD_ATTR", "LOAD_METHOD"])
_CALLS = frozenset(["CALL", "CALL_METHOD"])
_CALLS_WITH_ARGUMENTS = _CALLS | {"CALL_FUNCTION"}
_SAYS_NOTHING = frozenset(["CACHE", "EXTENDED_ARG", "NOP", "PRECALL"])


@functools.lru_cache(maxsize=16384)
def attributes_in(code: types.CodeType) -> frozenset[str]:
    """Names of attributes, and strings that may be such names."""
    found = set(code.co_names)
    for constant in _constants(code.co_consts):
        if isinstance(constant, str) and constant.replace(".", "").isidentifier():
            # Of `attrgetter("config.scale")` too.
            found.update(constant.split("."))
        elif isinstance(constant, types.CodeType):
            found |= attributes_in(constant)
    return frozenset(found)


@functools.lru_cache(maxsize=16384)
def globals_in(code: types.CodeType) -> frozenset[str]:
    """Names of globals: `self.criterion` reads none that happens to be called so."""
    return frozenset(_named(code, _GLOBALS))


@functools.lru_cache(maxsize=16384)
def imports_in(code: types.CodeType) -> frozenset[str]:
    """Names of the files that are imported where the code runs, empty for the code's own folder."""
    return frozenset(_named(code, _IMPORTS))


@functools.lru_cache(maxsize=16384)
def means_no_method(code: types.CodeType, name: str, files: frozenset[str]) -> bool:
    """Whether each use of a name is `math.log(x)`, of a file, or asks for nothing: `values.log()`.

    Args:
        code: of a function.
        name: of an attribute.
        files: the globals that are files to that function.
    """
    for constant in _constants(code.co_consts):
        inside = isinstance(constant, types.CodeType)
        if constant == name or (inside and not means_no_method(constant, name, files)):
            return False
    if name not in code.co_names:
        return True
    steps = [step for step in dis.get_instructions(code) if step.opname not in _SAYS_NOTHING]
    return all(
        step.opname in _LOADS_A_METHOD
        and (
            (before.opname == "LOAD_GLOBAL" and before.argval in files)
            or (after.opname in _CALLS and after.arg == 0)
        )
        for before, step, after in zip(steps, steps[1:], steps[2:])
        if step.argval == name
    )


@functools.lru_cache(maxsize=16384)
def only_identified(code: types.CodeType) -> frozenset[str]:
    """The variables of outer functions that it does nothing with but to ask for their `id`."""
    found = set(code.co_freevars)
    lines = [one for one in dis.get_instructions(code) if one.opname not in _SAYS_NOTHING]
    for before, one, after in zip((lines[0], *lines), lines, lines[1:]):
        asks = (before.opname, before.argval) == ("LOAD_GLOBAL", "id")
        calls = after.opname in _CALLS_WITH_ARGUMENTS and after.arg == 1
        if one.argval in found and not (one.opname == "LOAD_DEREF" and asks and calls):
            found.discard(one.argval)
    return frozenset(found)


def _constants(constants: tuple[object, ...]) -> Iterator[object]:
    """The constants of code; those that `for name in ("a", "b")` goes through are one of them."""
    for constant in constants:
        if isinstance(constant, (tuple, frozenset)):
            yield from _constants(tuple(constant))
        else:
            yield constant


def _named(code: types.CodeType, instructions: Mapping[int, int]) -> Iterator[str]:
    """The names that some instructions read, in functions inside as well."""
    high = 0
    raw = code.co_code
    for operation, low in zip(raw[::2], raw[1::2]):
        argument = high | low
        high = argument << 8 if operation == dis.EXTENDED_ARG else 0
        bits = instructions.get(operation)
        if bits is not None:
            yield code.co_names[argument >> bits]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _named(constant, instructions)
