"""Installing the real extensions into an environment of links, and taking them back.

The build itself comes from the cache, which `ortwrap doctor --fix` has filled before the tests.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from environments import LinkedEnvironment

from ortwrap.runtime import extensions
from ortwrap.runtime.compat.manifest import Manifest, digest_of
from ortwrap.runtime.extensions import Target

_STATE = "from ortwrap.runtime import extensions; print(extensions.state().value)"
_INSTALL = "from ortwrap.runtime import extensions; print(len(extensions.install()))"
_UNINSTALL = "from ortwrap.runtime import extensions; print(len(extensions.uninstall()))"
_PROBE = "from ortwrap.runtime.compat.probe import try_training; print(try_training())"

_KERNELS = """
from ortwrap.runtime import backend, extensions
assert backend.unavailable() is None
import torch
print(extensions.own_kernels() is not None, hasattr(torch.ops.ortwrap, "dropout"))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> LinkedEnvironment:
    return LinkedEnvironment(tmp_path_factory.mktemp("environment"))


def said(environment: LinkedEnvironment, code: str) -> str:
    result = environment.run(code)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {str(path.relative_to(folder)): digest_of(path) for path in files}


def test_installing_trains_and_undoing_leaves_no_trace(environment: LinkedEnvironment) -> None:
    as_pip_left_it = contents(environment.site_packages / "onnxruntime")
    assert said(environment, _STATE) == "missing"

    assert said(environment, _INSTALL) == "3"
    assert said(environment, _STATE) == "ready"
    assert said(environment, _INSTALL) == "0"
    assert "ok=True" in said(environment, _PROBE)

    assert said(environment, _UNINSTALL) == "3"
    assert said(environment, _UNINSTALL) == "0"
    assert contents(environment.site_packages / "onnxruntime") == as_pip_left_it


def test_a_training_step_without_extensions_fails_with_the_reason(
    environment: LinkedEnvironment,
) -> None:
    answer = said(environment, _PROBE)
    assert "ok=False" in answer
    assert "extensions" in answer


def test_extensions_of_somebody_else_are_told_apart_and_come_back(
    environment: LinkedEnvironment,
) -> None:
    theirs = [environment.extensions_dir / f"{name}.so" for name in extensions.EXTENSIONS]
    for path in theirs:
        path.write_bytes(b"not ours")
    assert said(environment, _STATE) == "foreign"
    assert said(environment, _INSTALL) == "3"
    assert said(environment, _STATE) == "ready"
    assert said(environment, _UNINSTALL) == "3"
    assert [path.read_bytes() for path in theirs] == [b"not ours"] * 2
    for path in theirs:
        path.unlink()


def test_extensions_for_another_torch_are_stale_and_get_replaced(
    environment: LinkedEnvironment,
) -> None:
    said(environment, _INSTALL)
    manifest = Manifest.read(environment.extensions_dir)
    assert manifest is not None
    dataclasses.replace(manifest, key="torch-2.12.0").write(environment.extensions_dir)
    assert said(environment, _STATE) == "stale"
    assert said(environment, _INSTALL) == "3"
    assert said(environment, _STATE) == "ready"
    said(environment, _UNINSTALL)


def test_what_another_ortwrap_built_trains_without_its_kernels(
    environment: LinkedEnvironment,
) -> None:
    said(environment, _INSTALL)
    assert said(environment, _KERNELS) == "True True"
    manifest = Manifest.read(environment.extensions_dir)
    assert manifest is not None
    older = Target.of_this_environment().ortmodules_key
    dataclasses.replace(manifest, key=f"{older}_other").write(environment.extensions_dir)
    assert said(environment, _STATE) == "behind"
    assert said(environment, _KERNELS) == "False False"
    assert "ok=True" in said(environment, _PROBE)
    assert said(environment, _INSTALL) == "3"
    assert said(environment, _STATE) == "ready"
    said(environment, _UNINSTALL)


def test_builds_for_different_versions_never_share_a_place_in_the_cache() -> None:
    target = Target.of_this_environment()
    others = [
        dataclasses.replace(target, torch=dataclasses.replace(target.torch, version="2.12.0")),
        dataclasses.replace(target, torch=dataclasses.replace(target.torch, cuda="13.0")),
        dataclasses.replace(target, torch=dataclasses.replace(target.torch, git_version="0")),
        dataclasses.replace(target, ort=dataclasses.replace(target.ort, version="1.19.0")),
    ]
    keys = [each.key for each in (target, *others)]
    assert len(set(keys)) == len(keys)
    assert target.key == Target.of_this_environment().key
