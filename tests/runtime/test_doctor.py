"""What the doctor says: of environments made up as values, of this one, and of ones of links."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path

import pytest
from environments import LinkedEnvironment, run_python

from ortwrap.runtime.compat.checks import FIX_COMMAND
from ortwrap.runtime.compat.environment import Environment
from ortwrap.runtime.compat.packages import OrtPackage, TorchBuild
from ortwrap.runtime.compat.probe import ProbeResult
from ortwrap.runtime.doctor import Finding, Severity, diagnose
from ortwrap.runtime.extensions import State

_DIAGNOSE = (
    "import json\n"
    "from ortwrap.runtime.doctor import diagnose\n"
    "print(json.dumps(diagnose().to_json()))\n"
)


@pytest.fixture
def whole(tmp_path: Path) -> Environment:
    """An environment in which everything fits."""
    ort_root = tmp_path / "onnxruntime"
    (ort_root / "training" / "ortmodule").mkdir(parents=True)
    (ort_root / "training" / "ortmodule" / "__init__.py").touch()
    return Environment(
        python=(3, 11),
        executable="/venv/bin/python",
        torch=TorchBuild(tmp_path, "2.13.0+cpu", git_version="", cuda=None, hip=None),
        onnx="1.23.2",
        ort=OrtPackage(ort_root, "1.19.2", "onnxruntime-training-cpu", cuda=None),
        ort_distributions={"onnxruntime-training-cpu": "1.19.2"},
        extensions=State.READY,
        extensions_cached=True,
        compiler="/usr/bin/c++",
        python_headers=True,
        ninja=True,
        setuptools=True,
        probe=ProbeResult(True, "as eager does"),
    )


def finding(environment: Environment, subject: str) -> Finding:
    (found,) = (each for each in diagnose(environment).findings if each.subject == subject)
    return found


def test_a_whole_environment_has_nothing_to_mend(whole: Environment) -> None:
    diagnosis = diagnose(whole)
    assert [each.severity for each in diagnosis.findings] == [Severity.OK] * 11
    assert [each.remedy for each in diagnosis.findings] == [None] * 11
    assert diagnosis.exit_code == 0


@pytest.mark.parametrize(
    ("subject", "change", "remedy"),
    [
        ("python", {"python": (3, 13)}, "python3.11 -m venv .venv"),
        ("torch", {"torch": None}, "/venv/bin/python -m pip install 'torch>=2.4,<2.16'"),
        ("onnx", {"onnx": None}, "/venv/bin/python -m pip install onnx"),
        (
            "onnxruntime",
            {"ort": None, "ort_distributions": {}},
            "/venv/bin/python -m pip install onnxruntime-training-cpu==1.19.2",
        ),
        (
            "onnxruntime",
            {"ort_distributions": {"onnxruntime": "1.23.0"}},
            "/venv/bin/python -m pip uninstall -y onnxruntime"
            " && /venv/bin/python -m pip install onnxruntime-training-cpu==1.19.2",
        ),
        (
            "onnxruntime",
            {"ort_distributions": {"onnxruntime": "1.23.0", "onnxruntime-training": "1.19.2"}},
            "/venv/bin/python -m pip uninstall -y onnxruntime onnxruntime-training"
            " && /venv/bin/python -m pip install onnxruntime-training==1.19.2",
        ),
        (
            "onnxruntime",
            {"ort": None},
            "/venv/bin/python -m pip uninstall -y onnxruntime-training-cpu"
            " && /venv/bin/python -m pip install onnxruntime-training-cpu==1.19.2",
        ),
        ("extensions", {"extensions": State.MISSING}, FIX_COMMAND),
        ("extensions", {"extensions": State.STALE}, FIX_COMMAND),
        ("extensions", {"extensions": State.FOREIGN, "probe": None}, FIX_COMMAND),
        ("extensions", {"extensions": None}, FIX_COMMAND),
        ("training", {"probe": ProbeResult(False, "killed by SIGSEGV")}, None),
        ("training", {"probe": None}, None),
    ],
)
def test_what_keeps_training_from_working_is_an_error_with_its_remedy(
    whole: Environment, subject: str, change: dict[str, object], remedy: str | None
) -> None:
    environment = dataclasses.replace(whole, **change)
    assert finding(environment, subject).severity is Severity.ERROR
    assert finding(environment, subject).meaning
    assert finding(environment, subject).remedy == remedy
    assert diagnose(environment).exit_code == 1


def test_extensions_of_another_ortwrap_train_and_can_be_renewed(whole: Environment) -> None:
    environment = dataclasses.replace(whole, extensions=State.BEHIND)
    assert finding(environment, "extensions").severity is Severity.WARNING
    assert finding(environment, "extensions").remedy == FIX_COMMAND
    assert diagnose(environment).exit_code == 0


def test_files_of_another_release_than_pip_believes_are_noticed(whole: Environment) -> None:
    assert whole.ort is not None
    overwritten = dataclasses.replace(whole.ort, version="1.23.0", distribution="onnxruntime")
    environment = dataclasses.replace(whole, ort=overwritten)
    assert finding(environment, "onnxruntime").severity is Severity.ERROR
    assert "those of onnxruntime 1.23.0" in finding(environment, "onnxruntime").meaning


@pytest.mark.parametrize(
    ("field", "absent", "subject", "severity"),
    [
        ("compiler", None, "compiler", Severity.ERROR),
        ("python_headers", False, "python headers", Severity.ERROR),
        ("setuptools", False, "setuptools", Severity.ERROR),
        ("ninja", False, "ninja", Severity.WARNING),
    ],
)
def test_build_tools_matter_only_while_there_is_something_to_build(
    whole: Environment, field: str, absent: object, subject: str, severity: Severity
) -> None:
    built = dataclasses.replace(whole, **{field: absent})
    assert finding(built, subject) == Finding(subject, Severity.OK, "missing; not needed now")
    cached = dataclasses.replace(built, extensions=State.MISSING)
    assert finding(cached, subject).severity is Severity.OK
    to_build = dataclasses.replace(cached, extensions_cached=False)
    assert finding(to_build, subject).severity is severity
    assert finding(to_build, subject).remedy


@pytest.mark.parametrize("version", ["2.3.1", "2.16.0", "3.0.0"])
def test_torch_outside_of_what_was_bridged_is_a_warning(whole: Environment, version: str) -> None:
    assert whole.torch is not None
    torch = dataclasses.replace(whole.torch, version=version)
    told = finding(dataclasses.replace(whole, torch=torch), "torch")
    assert told.severity is Severity.WARNING
    assert told.remedy == "/venv/bin/python -m pip install 'torch>=2.4,<2.16'"


@pytest.mark.parametrize(
    ("torch_cuda", "ort_cuda", "severity"),
    [
        ("13.0", "11.8", Severity.WARNING),
        ("11.8", "11.8", Severity.OK),
        ("13.0", None, Severity.OK),
        (None, "11.8", Severity.OK),
    ],
)
def test_builds_for_different_cuda_are_told(
    whole: Environment, torch_cuda: str | None, ort_cuda: str | None, severity: Severity
) -> None:
    assert whole.torch is not None
    assert whole.ort is not None
    torch = dataclasses.replace(whole.torch, cuda=torch_cuda)
    ort = dataclasses.replace(whole.ort, cuda=ort_cuda)
    environment = dataclasses.replace(whole, torch=torch, ort=ort)
    assert finding(environment, "device").severity is severity


def test_working_extensions_of_somebody_else_are_good_enough(whole: Environment) -> None:
    environment = dataclasses.replace(whole, extensions=State.FOREIGN)
    assert diagnose(environment).exit_code == 0


def test_remedies_name_the_interpreter_that_is_to_be_mended(whole: Environment) -> None:
    environment = dataclasses.replace(whole, executable="/my venv/bin/python", onnx=None)
    remedy = finding(environment, "onnx").remedy
    assert remedy is not None
    assert shlex.split(remedy)[0] == "/my venv/bin/python"


def test_this_environment_trains() -> None:
    """It runs the tests, so it must; nothing heavy is imported to find out."""
    result = run_python(_DIAGNOSE + "import sys; print('torch' in sys.modules)")
    document, imported = result.stdout.splitlines()
    findings = json.loads(document)["findings"]
    assert json.loads(document)["healthy"], findings
    assert [each["severity"] for each in findings if each["subject"] == "training"] == ["ok"]
    assert imported == "False"


def test_nothing_installed_is_told_not_suffered(tmp_path: Path) -> None:
    environment = LinkedEnvironment(
        tmp_path, without=["torch", "onnx", "onnxruntime", "onnxruntime-training-cpu", "filelock"]
    )
    result = environment.run(_DIAGNOSE)
    assert result.returncode == 0, result.stderr
    diagnosis = json.loads(result.stdout)
    assert not diagnosis["healthy"]
    missing = [each["subject"] for each in diagnosis["findings"] if each["found"] == "missing"]
    assert missing == ["torch", "onnx", "onnxruntime", "extensions"]


def test_fixing_without_torch_says_what_is_missing(tmp_path: Path) -> None:
    environment = LinkedEnvironment(tmp_path, without=["torch"])
    result = environment.run(
        "from ortwrap.runtime.doctor import CannotFix, fix\n"
        "try:\n"
        "    fix()\n"
        "except CannotFix as error:\n"
        "    print(error)\n"
    )
    said = "torch is not installed; `ortwrap doctor` says what to install"
    assert result.stdout.strip() == said, result.stderr


def test_two_distributions_in_one_folder_are_noticed(tmp_path: Path) -> None:
    environment = LinkedEnvironment(tmp_path)
    second = environment.site_packages / "onnxruntime-1.23.0.dist-info"
    second.mkdir()
    (second / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime\nVersion: 1.23.0\n")
    findings = json.loads(environment.run(_DIAGNOSE).stdout)["findings"]
    (ort,) = (each for each in findings if each["subject"] == "onnxruntime")
    assert ort["severity"] == "error"
    assert "onnxruntime and onnxruntime-training-cpu install into the same folder" in ort["meaning"]
