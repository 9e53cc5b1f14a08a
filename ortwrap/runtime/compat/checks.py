"""One function per part of an environment: what was observed -> what it means."""

from __future__ import annotations

import shlex

from ..extensions import State
from .environment import Environment
from .findings import Finding, Severity

ORT_VERSION = "1.19.2"
"""The last release of ORTModule, which everything here was made for."""

OLDEST_PYTHON, NEWEST_PYTHON = (3, 9), (3, 12)
OLDEST_TORCH, NEWEST_TORCH = (2, 4), (2, 15)

_A_TORCH = f"torch>={OLDEST_TORCH[0]}.{OLDEST_TORCH[1]},<{NEWEST_TORCH[0]}.{NEWEST_TORCH[1] + 1}"
"""For pip: no release that the bridges do not know."""

_BUILDS = "needed once, to build ORTModule's extensions"

FIX_COMMAND = "ortwrap doctor --fix"


def check_python(environment: Environment) -> Finding:
    found = "{}.{}".format(*environment.python)
    if OLDEST_PYTHON <= environment.python <= NEWEST_PYTHON:
        return Finding("python", Severity.OK, found)
    return Finding(
        "python",
        Severity.ERROR,
        found,
        f"onnxruntime-training {ORT_VERSION} exists for Python 3.9 to 3.12 only",
        "python3.11 -m venv .venv",
    )


def check_torch(environment: Environment) -> Finding:
    torch = environment.torch
    if torch is None:
        meaning = "the model itself needs it"
        return Finding("torch", Severity.ERROR, "missing", meaning, _pip(environment, _A_TORCH))
    built_for = f"CUDA {torch.cuda}" if torch.cuda else "ROCm" if torch.hip else "CPU"
    found = f"{torch.version}, built for {built_for}"
    if torch.release < OLDEST_TORCH:
        meaning = "older than what ortwrap is tested with"
        return Finding("torch", Severity.WARNING, found, meaning, _pip(environment, _A_TORCH))
    if torch.release > NEWEST_TORCH:
        meaning = "newer than the bridges know; should `training` fail below, take an older one"
        return Finding("torch", Severity.WARNING, found, meaning, _pip(environment, _A_TORCH))
    return Finding("torch", Severity.OK, found)


def check_onnx(environment: Environment) -> Finding:
    if environment.onnx is None:
        meaning = "ORTModule exports the model through it"
        return Finding("onnx", Severity.ERROR, "missing", meaning, _pip(environment, "onnx"))
    return Finding("onnx", Severity.OK, environment.onnx)


def check_onnxruntime(environment: Environment) -> Finding:
    """Which distribution owns the folder `onnxruntime`, and whether it is whole."""
    distributions = environment.ort_distributions
    found = ", ".join(f"{name} {version}" for name, version in distributions.items()) or "missing"
    problem = _problem_with_onnxruntime(environment)
    if problem:
        remedy = _reinstall_onnxruntime(environment)
        return Finding("onnxruntime", Severity.ERROR, found, problem, remedy)
    (version,) = distributions.values()
    if version != ORT_VERSION:
        meaning = f"the bridges are made for {ORT_VERSION}"
        remedy = _reinstall_onnxruntime(environment)
        return Finding("onnxruntime", Severity.WARNING, found, meaning, remedy)
    return Finding("onnxruntime", Severity.OK, found)


def _problem_with_onnxruntime(environment: Environment) -> str:
    names, ort = list(environment.ort_distributions), environment.ort
    if not names:
        return "ORTModule comes with onnxruntime-training or onnxruntime-training-cpu"
    if len(names) > 1:
        return f"{' and '.join(names)} install into the same folder and break one another"
    if not names[0].startswith("onnxruntime-training"):
        return f"{names[0]} has no ORTModule; the training distribution has all of it, and that"
    if ort is None or not ort.has_ortmodule:
        return "its files are not all there any more, as happens when one of two is uninstalled"
    if ort.version != environment.ort_distributions[names[0]]:
        return f"its files are those of {ort.distribution} {ort.version}"
    return ""


def _reinstall_onnxruntime(environment: Environment) -> str:
    """One command, whatever the state: the training distribution and nothing beside it."""
    installed = environment.ort_distributions
    wanted = "onnxruntime-training-cpu"
    if "onnxruntime-training" in installed:
        wanted = "onnxruntime-training"
    install = _pip(environment, f"{wanted}=={ORT_VERSION}")
    if not installed:
        return install
    uninstall = [environment.executable, "-m", "pip", "uninstall", "-y", *installed]
    return f"{shlex.join(uninstall)} && {install}"


def check_devices(environment: Environment) -> Finding:
    """Whether torch and onnxruntime were built for the same device."""
    torch_cuda = environment.torch.cuda if environment.torch else None
    ort_cuda = environment.ort.cuda if environment.ort else None
    if torch_cuda is None:
        return Finding("device", Severity.OK, "CPU")
    if ort_cuda is None:
        meaning = "this onnxruntime trains on the CPU: keep model and batches there"
        return Finding("device", Severity.OK, f"torch for CUDA {torch_cuda}, ORT for CPU", meaning)
    found = f"torch for CUDA {torch_cuda}, ORT for CUDA {ort_cuda}"
    if torch_cuda.split(".")[0] == ort_cuda.split(".")[0]:
        return Finding("device", Severity.OK, found)
    meaning = "on a GPU the two need the same CUDA; on the CPU they train together"
    return Finding("device", Severity.WARNING, found, meaning)


def check_build_tools(environment: Environment) -> tuple[Finding, ...]:
    """What compiling the extensions takes; nothing of it matters once they are there."""
    built = environment.extensions in (State.READY, State.BEHIND)
    needed = not (built or environment.extensions_cached)
    missing = Severity.ERROR if needed else Severity.OK
    return (
        _check_compiler(environment, missing),
        _check_headers(environment, missing),
        _check_setuptools(environment, missing),
        _check_ninja(environment, Severity.WARNING if needed else Severity.OK),
    )


def _check_compiler(environment: Environment, missing: Severity) -> Finding:
    if environment.compiler is not None:
        return Finding("compiler", Severity.OK, environment.compiler)
    return _missing_tool("compiler", missing, _BUILDS, "sudo apt-get install g++")


def _check_headers(environment: Environment, missing: Severity) -> Finding:
    if environment.python_headers:
        return Finding("python headers", Severity.OK, "present")
    package = "python{}.{}-dev".format(*environment.python)
    return _missing_tool("python headers", missing, _BUILDS, f"sudo apt-get install {package}")


def _check_setuptools(environment: Environment, missing: Severity) -> Finding:
    if environment.setuptools:
        return Finding("setuptools", Severity.OK, "present")
    meaning = "torch builds extensions with it"
    return _missing_tool("setuptools", missing, meaning, _pip(environment, "setuptools"))


def _check_ninja(environment: Environment, missing: Severity) -> Finding:
    if environment.ninja:
        return Finding("ninja", Severity.OK, "present")
    meaning = "the extensions build one file at a time without it"
    return _missing_tool("ninja", missing, meaning, _pip(environment, "ninja"))


def _missing_tool(subject: str, severity: Severity, meaning: str, remedy: str) -> Finding:
    if severity is Severity.OK:
        return Finding(subject, severity, "missing; not needed now")
    return Finding(subject, severity, "missing", meaning, remedy)


def check_extensions(environment: Environment) -> Finding:
    """What lies where ORTModule looks for its extensions."""
    state = environment.extensions
    if state is None:
        meaning = "they are built for one torch and one onnxruntime, which must be there first"
        return Finding("extensions", Severity.ERROR, "missing", meaning, FIX_COMMAND)
    if state is State.READY:
        return Finding("extensions", Severity.OK, "built for these versions")
    if state is State.BEHIND:
        meaning = "ORTModule runs; a dropout takes longer than it could"
        return Finding(
            "extensions", Severity.WARNING, "built by another ortwrap", meaning, FIX_COMMAND
        )
    if state is State.MISSING:
        meaning = "ORTModule does not start without them"
        if environment.extensions_cached:
            meaning += "; a build for these versions lies in the cache"
        return Finding("extensions", Severity.ERROR, "missing", meaning, FIX_COMMAND)
    if state is State.STALE:
        meaning = "they were built for other versions of torch, Python or onnxruntime"
        return Finding("extensions", Severity.ERROR, "out of date", meaning, FIX_COMMAND)
    return _check_foreign_extensions(environment)


def _check_foreign_extensions(environment: Environment) -> Finding:
    found = "not built by ortwrap"
    if environment.probe is not None and environment.probe.ok:
        return Finding("extensions", Severity.OK, found, "they work with these versions")
    meaning = "they do not work with these versions"
    return Finding("extensions", Severity.ERROR, found, meaning, FIX_COMMAND)


def check_training(environment: Environment) -> Finding:
    """The proof of all the others: did a model train under ORTModule?"""
    probe = environment.probe
    if probe is None:
        meaning = "mend what is above first"
        return Finding("training", Severity.ERROR, "not tried", meaning, None)
    if probe.ok:
        return Finding("training", Severity.OK, probe.detail)
    meaning = "two steps of a tiny model under ORTModule failed"
    return Finding("training", Severity.ERROR, probe.detail, meaning)


def _pip(environment: Environment, requirement: str) -> str:
    return shlex.join([environment.executable, "-m", "pip", "install", requirement])
