"""torch 2.7 hides C++ symbols that it does not export by name.

Upstream builds libtorch_python with hidden visibility since 2.7; `torch::autograd::PyNode`, in
`torch/csrc/autograd/python_function.h`, is not marked for export, so that its type information
is gone from the library. A `dynamic_cast` to it still compiles, and loading the extension fails:

    undefined symbol: _ZTIN5torch8autograd6PyNodeE

The cast was there to reach the Python object of a custom `autograd.Function`. torch gives that
object itself (`functionToPyObject`), and its Python type can be checked, which needs no cast.

Upstream: microsoft/onnxruntime issue 24852, open.
"""

from __future__ import annotations

from .bridge import Bridge, since
from .sources import SourcePatch

_FORWARD = "cpu/torch_interop_utils/custom_function_fw.cc"

_DIRTY_TENSORS = SourcePatch(
    name="dirty tensors without a cast to PyNode",
    file=_FORWARD,
    old="""\
  auto py_node_fn = dynamic_cast<torch::autograd::PyNode*>(grad_fn.get());
  TORCH_CHECK(py_node_fn != nullptr, "grad_fn is not PyNode type.");
  THPFunction* py_fn = (THPFunction*)py_node_fn->obj;
""",
    new="""\
  auto py_node = py::reinterpret_steal<py::object>(torch::autograd::functionToPyObject(grad_fn));
  TORCH_CHECK(THPFunction_Check(py_node.ptr()), "grad_fn is not PyNode type.");
  THPFunction* py_fn = (THPFunction*)py_node.ptr();
""",
)

_SAVED_TENSORS = SourcePatch(
    name="saved tensors without a cast to PyNode",
    file=_FORWARD,
    old="""\
  auto py_node_fn = dynamic_cast<torch::autograd::PyNode*>(cdata.get());
  TORCH_CHECK(py_node_fn != nullptr, "cdata is not PyNode type.");

  // ret is THPFunction
  THPFunction* py_fn = (THPFunction*)py_node_fn->obj;
  py::object ret = py::reinterpret_steal<py::object>(torch::autograd::functionToPyObject(cdata));
""",
    new="""\
  // ret is THPFunction
  py::object ret = py::reinterpret_steal<py::object>(torch::autograd::functionToPyObject(cdata));
  TORCH_CHECK(THPFunction_Check(ret.ptr()), "cdata is not PyNode type.");
  THPFunction* py_fn = (THPFunction*)ret.ptr();
""",
)

BRIDGE = Bridge(
    name="torch 2.7: type information of PyNode",
    needed=since(2, 7),
    source_patches=(_DIRTY_TENSORS, _SAVED_TENSORS),
)
