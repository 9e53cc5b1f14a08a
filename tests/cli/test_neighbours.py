"""Which file of a project an import names: the one that Python would find, or none in doubt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ortwrap.engine.names.neighbours import ModuleName
from ortwrap.engine.options import Options
from ortwrap.files import rewrite_file
from ortwrap.neighbours import Answer, ProjectFiles


def found(project: Path, script: str, module: str, *folders: str, importer: str = "") -> str | None:
    """The file that an import in a script names, as people are told of it."""
    name = ModuleName(len(module) - len(module.lstrip(".")), tuple(module.strip(".").split(".")))
    if not module.strip("."):
        name = ModuleName(len(module), ())
    files = ProjectFiles(str(project / script), str(project))
    neighbour = files.find(name, importer and str(project / importer), folders)
    return None if neighbour is None else neighbour.shown


def put(project: Path, *names: str) -> None:
    for name in names:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")


@pytest.mark.parametrize(
    ("files", "script", "module", "expected"),
    [
        (["losses.py"], "train.py", "losses", "losses.py"),
        (["models/net.py"], "tools/train.py", "models.net", "models/net.py"),
        (["models/net/__init__.py"], "train.py", "models.net", "models/net/__init__.py"),
        (["pack/a.py"], "pack/train.py", ".a", "pack/a.py"),
        (["pack/a.py"], "pack/sub/train.py", "..a", "pack/a.py"),
        (["pack/__init__.py"], "pack/train.py", ".", "pack/__init__.py"),
        (["a.py", "pack/a.py"], "pack/train.py", "a", None),
        (["random.py"], "tools/train.py", "random", None),
        (["torch.py"], "train.py", "torch", None),
        (["a.py"], "train.py", "b", None),
        ([], "train.py", "..a", None),
    ],
)
def test_imports_name_files(
    tmp_path: Path, files: list[str], script: str, module: str, expected: str | None
) -> None:
    put(tmp_path, *files)
    put(tmp_path, script)
    put(tmp_path.parent, "a.py")
    assert found(tmp_path, script, module) == expected


@pytest.mark.parametrize(
    ("build_file", "says"),
    [
        ("setup.cfg", "[options]\npackage_dir =\n    = lib\npackages = find:\n"),
        ("setup.cfg", "[options.packages.find]\nwhere = lib\n"),
        ("setup.py", 'setup(name="x", package_dir={"": "lib"}, packages=find_packages("lib"))\n'),
        ("pyproject.toml", '[tool.setuptools.package-dir]\n"" = "lib"\n'),
        ("pyproject.toml", '[tool.setuptools.packages.find]\nwhere = ["lib"]\n'),
        ("pyproject.toml", '[[tool.poetry.packages]]\ninclude = "pack"\nfrom = "lib"\n'),
    ],
)
def test_packages_are_found_where_the_project_installs_them_from(
    tmp_path: Path, build_file: str, says: str
) -> None:
    put(tmp_path, "lib/pack/base.py", "scripts/train.py")
    assert found(tmp_path, "scripts/train.py", "pack.base") is None
    (tmp_path / build_file).write_text(says)
    assert found(tmp_path, "scripts/train.py", "pack.base") == "lib/pack/base.py"


@pytest.mark.parametrize(
    "says", ["[options\n", "[tool.setuptools]\npackage-dir = 1\n", "\xe9 = [\n"]
)
def test_a_build_file_that_cannot_be_understood_names_no_folder(tmp_path: Path, says: str) -> None:
    put(tmp_path, "lib/pack/base.py", "train.py")
    for name in ("setup.cfg", "setup.py", "pyproject.toml"):
        (tmp_path / name).write_text(says, encoding="latin-1")
    assert found(tmp_path, "train.py", "pack.base") is None


def test_a_package_under_src_is_found_if_none_stands_nearer(tmp_path: Path) -> None:
    put(tmp_path, "src/pack/base.py", "scripts/train.py")
    assert found(tmp_path, "scripts/train.py", "pack.base") == "src/pack/base.py"
    put(tmp_path, "scripts/pack/base.py")
    assert found(tmp_path, "scripts/train.py", "pack.base") == "scripts/pack/base.py"


def test_a_folder_that_the_script_adds_is_searched(tmp_path: Path) -> None:
    put(tmp_path, "src/base/solver.py", "src/tasks/train.py")
    assert found(tmp_path, "src/tasks/train.py", "solver") is None
    assert found(tmp_path, "src/tasks/train.py", "solver", "./base/") == "src/base/solver.py"
    outside = str(tmp_path.parent / "outside")
    put(Path(outside), "other.py")
    assert found(tmp_path, "src/tasks/train.py", "other", outside) is None


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "outside/solver.py", "project/train.py")
    (tmp_path / "project/solver.py").symlink_to(tmp_path / "outside/solver.py")
    assert found(tmp_path / "project", "train.py", "solver") is None


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00", b"# coding: nonsense\n", b"x = '\xe9'\n", b"#" * 500_000],
    ids=["binary", "unknown encoding", "not utf-8", "too large"],
)
def test_what_is_no_readable_source_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "solver.py").write_bytes(content)
    assert found(tmp_path, "train.py", "solver") is None


TRAIN = """\
import torch.nn.functional as F
from base import Learner


class Ranker(Learner):
    def learn(self, x, y):
        loss = F.cross_entropy(self(x), y)
        loss.backward()
"""
BASE = "from torch import nn\n\n\nclass Learner(nn.Module):\n    pass\n"


def test_a_file_is_rewritten_with_its_project_in_view(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "base.py").write_text(BASE)
    assert rewrite_file(str(tmp_path / "train.py"), Options()).status == "rewritten"
    (tmp_path / "base.py").write_text(BASE.replace("nn.Module", "object"))
    assert rewrite_file(str(tmp_path / "train.py"), Options()).status == "refused"


def test_a_check_remembers_no_longer_than_the_other_file_stays(
    ortwrap: Callable, tmp_path: Path
) -> None:
    cache = str(tmp_path / "cache")

    def check() -> int:
        return ortwrap("rewrite", "--check", "train.py", ORTWRAP_CACHE=cache).code

    (tmp_path / "train.py").write_text(TRAIN)
    assert check() == 0
    (tmp_path / "base.py").write_text(BASE)
    assert (check(), check()) == (1, 1)
    (tmp_path / "base.py").write_text(BASE.replace("nn.Module", "object"))
    assert check() == 0


def test_standard_input_stands_beside_no_file(ortwrap: Callable, tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text(BASE)
    done = ortwrap("rewrite", "-", stdin=TRAIN.encode())
    assert "OW101" in done.err


def test_a_search_of_the_project_is_made_anew_once_a_file_answers_otherwise(tmp_path: Path) -> None:
    put(tmp_path, "train.py", "other.py")
    files = ProjectFiles(str(tmp_path / "train.py"), str(tmp_path))
    assert files.mentioning("Trainer") == []
    rows = [answer.as_row() for answer in files.answers]
    answers = [Answer.of_row(row) for row in rows]
    again = ProjectFiles(str(tmp_path / "train.py"), str(tmp_path))
    assert all(map(again.still_holds, answers))
    (tmp_path / "other.py").write_text("class Louder(Trainer):\n    pass\n")
    changed = ProjectFiles(str(tmp_path / "train.py"), str(tmp_path))
    assert not any(map(changed.still_holds, answers))
    assert [each.shown for each in changed.mentioning("Trainer") or ()] == ["other.py"]
