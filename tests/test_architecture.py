"""Imports run one way: cli -> report, proof, engine; runtime stands alone; nothing comes early."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "ortwrap"

# What each layer may import of ortwrap besides itself; a layer is a package or a file.
MAY_IMPORT = {
    "engine": set(),
    "runtime": set(),
    "report": {"engine", "proof", "runtime", "rim"},
    "proof": {"engine", "runtime", "rim"},
    "rim": {"engine", "rim"},
    "cli": {"engine", "report", "proof", "runtime", "rim", "cli"},
}


def _layer(module: str) -> str:
    """The layer of `ortwrap.x.y`: `x`, or `rim` for the files between the engine and the CLI."""
    name = module.split(".")[1] if "." in module else "rim"
    if name == "__main__":
        return "cli"
    return name if name in MAY_IMPORT else "rim"


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[str]:
    """Absolute names of everything of ortwrap that a file imports, lazily or not."""
    home = _module(path).split(".")
    package = home if path.name == "__init__.py" else home[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=_module)
def test_layers_import_one_way(path: Path) -> None:
    mine = _layer(_module(path))
    for name in _imports(path):
        if name == "ortwrap" or name.startswith("ortwrap."):
            theirs = _layer(name)
            assert theirs == mine or theirs in MAY_IMPORT[mine], f"{mine} imports {name}"


def test_the_engine_imports_only_what_it_needs() -> None:
    """Text in, text out: no terminal, no processes, no torch."""
    found = {
        name.split(".")[0] for path in (PACKAGE / "engine").rglob("*.py") for name in _imports(path)
    }
    assert found - set(sys.stdlib_module_names) == {"ortwrap", "libcst", "jinja2"}
    assert not found & {"subprocess", "os", "shutil", "tempfile", "socket", "multiprocessing"}


def _modules_after(code: str) -> set[str]:
    """What a fresh process has imported after it ran `code`."""
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    process = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(process.stdout.split("\n"))


def test_ortwrap_imports_neither_torch_nor_libcst() -> None:
    heavy = {"torch", "libcst", "jinja2", "onnx", "onnxruntime", "numpy", "rich"}
    assert not heavy & _modules_after("import ortwrap")
    assert not heavy & _modules_after("from ortwrap.engine import rewrite_source")


def test_a_rewrite_does_not_import_torch() -> None:
    code = (
        "from ortwrap.engine import rewrite_source\n"
        "text = open('samples/image_classifier.py').read()\n"
        "assert rewrite_source(text).status == 'rewritten'"
    )
    modules = _modules_after(f"import os; os.chdir({str(ROOT)!r})\n{code}")
    assert "libcst" in modules
    assert not {"torch", "numpy", "onnx", "onnxruntime", "libcst.codemod"} & modules


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("import torch\nprint(torch.ones(3))\n", id="no sink at all"),
        pytest.param('"""Calls no loss.backward()."""\nimport torch\n', id="docstring"),
        pytest.param("import torch  # loss.backward()\n", id="comment"),
        pytest.param(
            "from sklearn.preprocessing import StandardScaler\n"
            "scaler = StandardScaler()\nscaler.fit([[1.0]])\n",
            id="scaler of scikit-learn",
        ),
    ],
)
def test_a_file_without_a_sink_imports_no_libcst(text: str) -> None:
    code = f"from ortwrap.engine import rewrite_source\nrewrite_source({text!r})"
    assert "libcst" not in _modules_after(code)


def _evaluated_unions(tree: ast.AST) -> Iterator[int]:
    """Lines of `Known = First | Second`: classes, by their capitals, and no flags or sets."""
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Assign) else None
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
            names = [ast.unparse(side).rpartition(".")[2] for side in (value.left, value.right)]
            if all(name[:1].isupper() and not name.isupper() for name in names):
                yield value.lineno


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=_module)
def test_no_union_is_evaluated_that_python_3_9_cannot_make(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    assert not list(_evaluated_unions(tree))
