"""torch 2.13 changes who owns an autograd node, exports less of its DLPack code, and is C++20.

- Nodes are held by `c10::intrusive_ptr` where `std::shared_ptr` held them
  (`torch/csrc/autograd/function.h`), and `THPFunction::cdata` is a strong pointer, no longer a
  weak one that must be locked (`torch/csrc/autograd/python_function.h`).
- `torch::utils::tensor_fromDLPack` (`torch/csrc/utils/tensor_new.h`) is not exported any more;
  `at::fromDLPack`, on which it was built, is. What it did around that is done here: the capsule
  gives its tensor up exactly once, and the deleter, which may run Python, holds the GIL.
- Its headers are written for C++20 (an older standard draws warnings in 2.13 and,
  by report, an `#error` in 2.14), and torch adds that flag where a setup script names no standard.

Upstream: pytorch/pytorch pull requests 181782 and 181390 (nodes), 176659 and 178150 (C++20).
"""

from __future__ import annotations

from .bridge import Bridge, since
from .sources import SourcePatch

_INTEROP = "cpu/torch_interop_utils"

_NODE_REFERENCE = SourcePatch(
    name="reference to a node held by intrusive_ptr",
    file=f"{_INTEROP}/custom_function_fw.cc",
    old="const std::shared_ptr<torch::autograd::Node>& cdata",
    new="const c10::intrusive_ptr<torch::autograd::Node>& cdata",
)

_NODE_POOL = SourcePatch(
    name="pool of nodes held by intrusive_ptr",
    file=f"{_INTEROP}/ctx_pool.h",
    old="std::unordered_map<size_t, std::shared_ptr<torch::autograd::Node>> grad_fns_;",
    new="std::unordered_map<size_t, c10::intrusive_ptr<torch::autograd::Node>> grad_fns_;",
)

_STRONG_CDATA = SourcePatch(
    name="cdata is a strong pointer",
    file=f"{_INTEROP}/custom_function_fw.cc",
    old="auto saved_for = py_fn->cdata.lock();",
    new="auto saved_for = py_fn->cdata;",
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

_CPP_STANDARD = SourcePatch(
    name="C++ standard left to torch",
    file=f"{_INTEROP}/setup.py",
    old='extra_compile_args = {"cxx": ["-O3", "-std=c++17"]}',
    new='extra_compile_args = {"cxx": ["-O3"]}',
)

BRIDGE = Bridge(
    name="torch 2.13: owners of autograd nodes, DLPack, C++20",
    needed=since(2, 13),
    source_patches=(
        _NODE_REFERENCE,
        _NODE_POOL,
        _STRONG_CDATA,
        _DLPACK_DECLARATION,
        _DLPACK_DEFINITION,
        _DLPACK_FORWARD,
        _DLPACK_BACKWARD,
        _CPP_STANDARD,
    ),
)
