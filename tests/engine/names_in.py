"""Which names of a script nothing binds: the interpreter's own symbol tables decide."""

from __future__ import annotations

import builtins
import symtable

_GIVEN = {*dir(builtins), "__name__", "__file__", "__doc__", "__spec__"}


def unresolved_names(text: str) -> set[str]:
    """Names that some scope of the script reads as globals and that no scope of it assigns."""
    module = symtable.symtable(text, "<script>", "exec")
    known = {symbol.get_name() for symbol in module.get_symbols() if symbol.is_local()}
    known |= {
        symbol.get_name()
        for table in _tables(module)
        for symbol in table.get_symbols()
        if symbol.is_declared_global() and symbol.is_assigned()
    }
    read = {
        symbol.get_name()
        for table in _tables(module)
        for symbol in table.get_symbols()
        if symbol.is_global() and symbol.is_referenced()
    }
    return read - known - _GIVEN


def _tables(table: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    return [table, *(inner for child in table.get_children() for inner in _tables(child))]
