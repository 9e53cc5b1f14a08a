"""torch 2.7 hides the C++ symbols of libtorch_python that are not marked for export.

ORTModule's extensions use two of them. They still compile, and do not load:

- `torch::autograd::PyNode` (`torch/csrc/autograd/python_function.h`) lost its type information,
  which a `dynamic_cast` needs: `undefined symbol: _ZTIN5torch8autograd6PyNodeE`. The cast was
  there to reach the Python object of a custom `autograd.Function`. torch gives that object itself
  (`functionToPyObject`), and its Python type can be checked, which needs no cast.
- `torch::utils::tensor_fromDLPack` (`torch/csrc/utils/tensor_new.h`) is gone; `at::fromDLPack`,
  on which it was built, is not. What it did around that is done here: the capsule gives its
  tensor up exactly once, and the deleter, which may run Python, holds the GIL.

Upstream: microsoft/onnxruntime issue 24852, open. Seen in the symbol tables of torch 2.7.1, 2.8.0,
2.9.1, 2.13.0 and 2.15.0; 2.5.1 still has both.
"""

from __future__ import annotations

from .bridge import Bridge, since
from .sources import SourcePatch

_INTEROP = "cpu/torch_interop_utils"

_DIRTY_TENSORS = SourcePatch(
    name="dirty tensors without a cast to PyNode",
    file=f"{_INTEROP}/custom_function_fw.cc",
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
    file=f"{_INTEROP}/custom_function_fw.cc",
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

_DLPACK_DECLARATION = SourcePatch(
    name="declare tensor_from_dlpack",
    file=f"{_INTEROP}/custom_function_shared.h",
    old="void dlpack_capsule_destructor(PyObject* data);\n",
    new="""\
void dlpack_capsule_destructor(PyObject* data);

at::Tensor tensor_from_dlpack(PyObject* capsule);
""",
)

_DLPACK_DEFINITION = SourcePatch(
    name="define tensor_from_dlpack",
    file=f"{_INTEROP}/custom_function_shared.cc",
    old="void dlpack_capsule_destructor(PyObject* data) {\n",
    new="""\
at::Tensor tensor_from_dlpack(PyObject* capsule) {
  auto* managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule, "dltensor"));
  TORCH_CHECK(managed != nullptr, "expected a DLPack capsule that was not consumed before");
  auto release = [managed](void*) {
    if (managed->deleter != nullptr) {
      py::gil_scoped_acquire gil;
      managed->deleter(managed);
    }
  };
  at::Tensor tensor = at::fromDLPack(managed, std::move(release));
  PyCapsule_SetName(capsule, "used_dltensor");
  return tensor;
}

void dlpack_capsule_destructor(PyObject* data) {
""",
)

_DLPACK_FORWARD = SourcePatch(
    name="forward arguments by tensor_from_dlpack",
    file=f"{_INTEROP}/custom_function_fw.cc",
    old="torch::utils::tensor_fromDLPack(",
    new="tensor_from_dlpack(",
)

_DLPACK_BACKWARD = SourcePatch(
    name="backward arguments by tensor_from_dlpack",
    file=f"{_INTEROP}/custom_function_bw.cc",
    old="torch::utils::tensor_fromDLPack(",
    new="tensor_from_dlpack(",
)

BRIDGE = Bridge(
    name="torch 2.7: hidden symbols of libtorch_python",
    needed=since(2, 7),
    source_patches=(
        _DIRTY_TENSORS,
        _SAVED_TENSORS,
        _DLPACK_DECLARATION,
        _DLPACK_DEFINITION,
        _DLPACK_FORWARD,
        _DLPACK_BACKWARD,
    ),
)
