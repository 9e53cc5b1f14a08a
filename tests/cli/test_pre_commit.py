"""The hooks as teams use them: pre-commit installs them from a repository and runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_scripts import PLAIN, TRAINING

ROOT = Path(__file__).parents[2]
CONFIG = """\
repos:
  - repo: {repository}
    rev: {revision}
    hooks:
      - id: {hook}
"""


def git(folder: Path, *args: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    process = subprocess.run(
        ["git", *identity, *args], cwd=folder, capture_output=True, text=True, check=True
    )
    return process.stdout.strip()


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with what this checkout would publish."""
    folder = tmp_path_factory.mktemp("hooks")
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    needed = ("ortwrap/", "templates/", "pyproject.toml", "README.md", "LICENSE", ".pre-commit")
    for name in listed:
        if name.startswith(needed) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "publish")
    return folder


@pytest.fixture(scope="module")
def pre_commit(
    hooks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path, str], subprocess.CompletedProcess[str]]:
    """Run one hook over a repository; its environment is installed once."""
    home = tmp_path_factory.mktemp("pre-commit")

    def run(project: Path, hook: str) -> subprocess.CompletedProcess[str]:
        revision = git(hooks, "rev-parse", "HEAD")
        config = CONFIG.format(repository=hooks, revision=revision, hook=hook)
        (project / ".pre-commit-config.yaml").write_text(config)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color=never", "-v"],
            cwd=project,
            env={**environment, "PRE_COMMIT_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(TRAINING)
    (tmp_path / "plain.py").write_text(PLAIN)
    (tmp_path / "legacy").mkdir()
    (tmp_path / "legacy" / "old.py").write_text(TRAINING)
    (tmp_path / "pyproject.toml").write_text('[tool.ortwrap]\nexclude = ["legacy/"]\n')
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "start")
    return tmp_path


def test_check_fails_until_rewrite_has_run(pre_commit: Callable, project: Path) -> None:
    check = pre_commit(project, "ortwrap-check")
    assert check.returncode == 1, check.stdout + check.stderr
    assert "train.py: would be rewritten" in check.stdout
    assert "legacy" not in check.stdout
    assert (project / "train.py").read_text() == TRAINING

    rewrite = pre_commit(project, "ortwrap-rewrite")
    assert "files were modified by this hook" in rewrite.stdout
    assert "class ModuleWithLoss(" in (project / "train.py").read_text()
    assert (project / "legacy" / "old.py").read_text() == TRAINING
    assert (project / "plain.py").read_text() == PLAIN

    git(project, "add", ".")
    assert pre_commit(project, "ortwrap-rewrite").returncode == 0
    assert pre_commit(project, "ortwrap-check").returncode == 0
