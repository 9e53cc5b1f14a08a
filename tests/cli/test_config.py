"""`[tool.ortwrap]`: found from the inputs up, checked key by key, overridden by options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli_scripts import TRAINING

from ortwrap.config import Config, ConfigError, find_config, load_config


def write(folder: Path, text: str) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(text)
    return path


def test_every_key(tmp_path: Path) -> None:
    (tmp_path / "mine.j2").touch()
    path = write(
        tmp_path,
        "[tool.ortwrap]\n"
        'include = ["*.py", "*.pyw"]\nexclude = ["legacy/"]\nclass-name = "Lifted"\n'
        'template = "mine.j2"\nsinks = ["run_backward"]\nwrappers = ["distribute"]\n'
        "line-length = 99\n"
        'output = "{stem}_ort.py"\n',
    )
    assert load_config(str(path)) == Config(
        root=str(tmp_path),
        include=("*.py", "*.pyw"),
        exclude=("legacy/",),
        class_name="Lifted",
        template=str(tmp_path / "mine.j2"),
        sinks=("run_backward",),
        wrappers=("distribute",),
        line_length=99,
        output="{stem}_ort.py",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('class_name = "A"', "no key 'class_name'; did you mean 'class-name'?"),
        pytest.param("exlude = []", "no key 'exlude'; did you mean 'exclude'?"),
        pytest.param("zzz = 1", "no key 'zzz'; it has class-name, exclude,"),
        pytest.param("sinks = 'a'", "sinks must be a list of strings, not 'a'"),
        pytest.param("line-length = true", "line-length must be a number of characters, not True"),
        pytest.param("exclude = [1]", "exclude must be a list of gitignore patterns, with /"),
        pytest.param(
            r"exclude = ['src\old']", "exclude must be a list of gitignore patterns, with /"
        ),
        pytest.param("include = ['!']", "include must be a list of gitignore patterns, with /"),
        pytest.param("class-name = 'a b'", "class-name must be a name that a class can have"),
        pytest.param("template = 'no.j2'", "template: no such file: no.j2"),
        pytest.param("output = 'out.py'", "output must be a string with {stem} or {name} in it"),
        pytest.param("a = = 1", "is no valid TOML: "),
    ],
)
def test_what_is_wrong_is_an_error_with_a_suggestion(
    tmp_path: Path, text: str, message: str
) -> None:
    path = write(tmp_path, f"[tool.ortwrap]\n{text}\n")
    with pytest.raises(ConfigError) as error:
        load_config(str(path))
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_the_nearest_project_that_speaks_of_ortwrap_decides(tmp_path: Path) -> None:
    write(tmp_path, '[tool.ortwrap]\nclass-name = "Outer"\n')
    inner = tmp_path / "inner" / "src"
    inner.mkdir(parents=True)
    write(inner.parent, '[project]\nname = "ortwrap-user"\n')
    (inner / "a.py").touch()
    assert find_config([str(inner / "a.py")]).class_name == "Outer"
    (inner.parent / ".git").mkdir()
    assert find_config([str(inner / "a.py")]) == Config()


def test_options_go_before_configuration(ortwrap: Callable, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAINING)
    write(tmp_path, '[tool.ortwrap]\nclass-name = "FromProject"\n')
    assert "+class FromProject(" in ortwrap("rewrite", "train.py").text
    assert "+class Mine(" in ortwrap("rewrite", "train.py", "--class-name", "Mine").text


def test_a_wrong_configuration_is_wrong_usage(ortwrap: Callable, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAINING)
    write(tmp_path, "[tool.ortwrap]\nclassname = 'A'\n")
    run = ortwrap("rewrite", "train.py")
    assert (run.code, run.out) == (2, b"")
    assert "did you mean 'class-name'?" in run.err


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"pyproject.toml": "[tool.black]\nline-length = 70\n"}, 70, id="black"),
        pytest.param({"pyproject.toml": "[tool.black]\n"}, 88, id="black as it is"),
        pytest.param({"pyproject.toml": "[tool.ruff]\nline-length = 110\n"}, 110, id="ruff"),
        pytest.param({"ruff.toml": "line-length = 96\n"}, 96, id="ruff.toml"),
        pytest.param({"ruff.toml": "line-length = = 96\n"}, None, id="a broken ruff.toml"),
        pytest.param({"pyproject.toml": "[tool.isort]\nline-length = 70\n"}, None, id="neither"),
        pytest.param(
            {"pyproject.toml": "[tool.black]\n[tool.ortwrap]\nline-length = 71\n"},
            71,
            id="ours first",
        ),
    ],
)
def test_lines_are_as_long_as_the_formatter_makes_them(
    tmp_path: Path, files: dict[str, str], expected: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "src").mkdir()
    config = find_config([str(tmp_path / "src")])
    assert config.line_length == config.options().line_length == expected


def test_a_wrapper_of_the_team_returns_the_model(ortwrap: Callable, tmp_path: Path) -> None:
    script = TRAINING.replace("def train(model, device,", "def train(device,")
    script = script.replace("    model.train()\n", "").replace("model(", "m(")
    (tmp_path / "train.py").write_text(
        f"from mine import wrap, build\n\nm = wrap(build())\n{script}"
    )
    assert "OW101" in ortwrap("rewrite", "train.py").err
    assert "class ModuleWithLoss(" in ortwrap("rewrite", "train.py", "--wrapper", "wrap").text
    write(tmp_path, "[tool.ortwrap]\nwrappers = ['wrap']\n")
    run = ortwrap("rewrite", "train.py", "--verbose")
    assert "evidence: model `m`: is returned by `wrap`, a wrapper of yours" in run.err
