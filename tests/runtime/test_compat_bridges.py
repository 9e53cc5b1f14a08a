"""Which torch gets which bridges, and what the bridges do to a process."""

from __future__ import annotations

from pathlib import Path

import pytest
from environments import run_python

from ortwrap.runtime.compat import bridges_for, cpu_build, torch_2_7, torch_2_9, torch_2_13
from ortwrap.runtime.compat.packages import TorchBuild, release_of


def torch_build(version: str, cuda: str | None = "12.4") -> TorchBuild:
    return TorchBuild(Path("torch"), version, git_version="", cuda=cuda, hip=None)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.13.0", (2, 13)),
        ("2.13.0+cpu", (2, 13)),
        ("2.9.0a0+git1234", (2, 9)),
        ("2.10", (2, 10)),
    ],
)
def test_release_is_major_and_minor(version: str, expected: tuple[int, int]) -> None:
    assert release_of(version) == expected


def test_what_is_no_version_is_said_to_be_none() -> None:
    with pytest.raises(ValueError, match="not a version: 'nightly'"):
        release_of("nightly")


@pytest.mark.parametrize("version", ["2.4.0", "2.4.1", "2.5.1+cu124", "2.6.0"])
def test_torch_that_upstream_supports_is_left_alone(version: str) -> None:
    assert bridges_for(torch_build(version)) == ()


@pytest.mark.parametrize(
    ("version", "bridges"),
    [
        ("2.7.0", [torch_2_7.BRIDGE]),
        ("2.8.0", [torch_2_7.BRIDGE]),
        ("2.9.1", [torch_2_7.BRIDGE, torch_2_9.BRIDGE]),
        ("2.12.1", [torch_2_7.BRIDGE, torch_2_9.BRIDGE]),
        ("2.13.0", [torch_2_7.BRIDGE, torch_2_9.BRIDGE, torch_2_13.BRIDGE]),
        ("2.15.0", [torch_2_7.BRIDGE, torch_2_9.BRIDGE, torch_2_13.BRIDGE]),
    ],
)
def test_newer_torch_gets_every_bridge_since_it_broke(version: str, bridges: list[object]) -> None:
    assert list(bridges_for(torch_build(version))) == bridges


def test_cpu_builds_of_any_release_lack_nvtx() -> None:
    assert bridges_for(torch_build("2.5.1", cuda=None)) == (cpu_build.BRIDGE,)


def test_applying_again_changes_nothing() -> None:
    result = run_python(
        "from ortwrap.runtime import compat\n"
        "compat.apply()\n"
        "import torch\n"
        "from torch.onnx import symbolic_helper\n"
        "before = torch.onnx.export, symbolic_helper, torch.cuda.nvtx._nvtx\n"
        "compat.apply()\n"
        "after = torch.onnx.export, torch.onnx.symbolic_helper, torch.cuda.nvtx._nvtx\n"
        "assert all(a is b for a, b in zip(before, after))\n"
    )
    assert result.returncode == 0, result.stderr


def test_names_that_ortmodule_imports_are_where_it_looks() -> None:
    result = run_python(
        "from ortwrap.runtime import compat\n"
        "compat.apply()\n"
        "from torch.onnx import _globals, _type_utils\n"
        "from torch.onnx._internal import jit_utils, registration\n"
        "from torch.onnx.symbolic_opset9 import _convolution, _convolution_mode\n"
        "from torch.onnx.symbolic_helper import _get_tensor_rank, _is_tensor\n"
    )
    assert result.returncode == 0, result.stderr


def test_a_function_replaced_under_the_old_name_is_replaced_for_the_exporter() -> None:
    """ORTModule replaces `symbolic_helper._get_tensor_rank`; a copy of the module would not do."""
    result = run_python(
        "from ortwrap.runtime import compat\n"
        "compat.apply()\n"
        "import torch.onnx.symbolic_helper\n"
        "from torch.onnx.symbolic_opset9 import symbolic_helper as used_by_exporter\n"
        "assert torch.onnx.symbolic_helper is used_by_exporter\n"
    )
    assert result.returncode == 0, result.stderr


def test_exports_of_everyone_else_keep_their_default() -> None:
    """The new exporter returns a program, or asks for the package it needs; the old gives None."""
    result = run_python(
        "from ortwrap.runtime import compat\n"
        "compat.apply()\n"
        "import io, torch\n"
        "try:\n"
        "    print(type(torch.onnx.export(torch.nn.Linear(2, 2), (torch.ones(1, 2),))).__name__)\n"
        "except ImportError as error:\n"
        "    print(error.name)\n"
    )
    assert result.stdout.split()[-1:] in (["ONNXProgram"], ["onnxscript"]), result.stderr


def test_marks_for_an_absent_profiler_are_accepted() -> None:
    result = run_python(
        "from ortwrap.runtime import compat\n"
        "compat.apply()\n"
        "import torch\n"
        "torch.cuda.nvtx.range_push('step')\n"
        "torch.cuda.nvtx.range_pop()\n"
    )
    assert result.returncode == 0, result.stderr


def test_an_inference_of_shapes_that_gives_up_leaves_no_file(tmp_path: Path) -> None:
    result = run_python(
        "import onnx, os\n"
        "from onnx import TensorProto, helper\n"
        "from ortwrap.runtime.compat.shape_inference import leave_no_file\n"
        "leave_no_file()\n"
        "leave_no_file()\n"
        "from onnxruntime.tools.symbolic_shape_infer import SymbolicShapeInference\n"
        f"os.chdir({str(tmp_path)!r})\n"
        "value = helper.make_tensor_value_info\n"
        "node = helper.make_node('NonZero', ['x'], ['y'])\n"
        "unknown = helper.make_node('Nobody', ['y'], ['z'], domain='of.nobody')\n"
        "x = value('x', TensorProto.FLOAT, ['n'])\n"
        "z = value('z', TensorProto.FLOAT, None)\n"
        "opsets = [helper.make_opsetid('', 17), helper.make_opsetid('of.nobody', 1)]\n"
        "graph = helper.make_graph([node, unknown], 'g', [x], [z])\n"
        "model = helper.make_model(graph, opset_imports=opsets)\n"
        "try:\n"
        "    SymbolicShapeInference.infer_shapes(model)\n"
        "except Exception as error:\n"
        "    print(error)\n"
    )
    assert "Incomplete" in result.stdout, result.stderr
    assert not list(tmp_path.iterdir())
