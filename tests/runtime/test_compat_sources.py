"""The patches to the extension sources, tried on those of the installed onnxruntime."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_compat_bridges import torch_build

from ortwrap.runtime.compat import source_patches_for
from ortwrap.runtime.compat.packages import installed_ort
from ortwrap.runtime.compat.sources import PatchMismatch, SourcePatch, patch_files


def code_of(folder: Path) -> str:
    """All C++ and setup code under `folder`, without the lines that are comments."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".cc", ".h", ".py"))
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    return "\n".join(line for line in lines if not line.lstrip().startswith(("//", "#")))


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the sources as they come in the wheel."""
    ort = installed_ort()
    assert ort is not None
    shutil.copytree(ort.extensions_dir / "cpu", tmp_path / "cpu")
    return tmp_path


def patched(sources: Path, version: str) -> str:
    patch_files(sources, source_patches_for(torch_build(version)))
    return code_of(sources)


def test_sources_stay_as_they_are_for_torch_that_upstream_supports(sources: Path) -> None:
    untouched = code_of(sources)
    assert patched(sources, "2.6.0") == untouched


def test_no_symbol_that_torch_2_7_hides_is_used(sources: Path) -> None:
    assert "dynamic_cast<torch::autograd::PyNode*>" in code_of(sources)
    code = patched(sources, "2.7.0")
    assert "PyNode*" not in code
    assert code.count("THPFunction_Check(") == 2
    assert "torch::utils::tensor_fromDLPack" not in code
    assert code.count("tensor_from_dlpack(args[arg_index])") == 2
    assert "std::shared_ptr<torch::autograd::Node>" in code


def test_nodes_are_owned_as_torch_2_13_owns_them(sources: Path) -> None:
    code = patched(sources, "2.13.0")
    assert "std::shared_ptr<torch::autograd::Node>" not in code
    assert ".lock()" not in code
    assert "-std=c++17" not in code


def test_patching_twice_is_noticed(sources: Path) -> None:
    patched(sources, "2.13.0")
    with pytest.raises(PatchMismatch, match="expects 1 occurrence"):
        patched(sources, "2.13.0")


def test_a_missing_file_is_noticed(sources: Path) -> None:
    (sources / "cpu/torch_interop_utils/ctx_pool.h").unlink()
    with pytest.raises(PatchMismatch, match=r"ctx_pool\.h.*finds no such file"):
        patched(sources, "2.13.0")


@pytest.mark.parametrize("text", ["", "old old"])
def test_text_that_is_not_what_the_patch_was_written_for_is_refused(text: str) -> None:
    patch = SourcePatch("rename", "a.cc", old="old", new="new")
    with pytest.raises(PatchMismatch, match=r"a\.cc: patch 'rename' expects 1"):
        patch.apply_to(text)
