"""torch 2.13 changes who owns an autograd node, and is C++20.

- Nodes are held by `c10::intrusive_ptr` where `std::shared_ptr` held them
  (`torch/csrc/autograd/function.h`), and `THPFunction::cdata` is a strong pointer, no longer a
  weak one that must be locked (`torch/csrc/autograd/python_function.h`).
- Its headers are written for C++20: an older standard draws warnings in 2.13 and, by report, an
  `#error` in 2.14. torch adds that flag where a setup script names no standard of its own.

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

_CPP_STANDARD = SourcePatch(
    name="C++ standard left to torch",
    file=f"{_INTEROP}/setup.py",
    old='extra_compile_args = {"cxx": ["-O3", "-std=c++17"]}',
    new='extra_compile_args = {"cxx": ["-O3"]}',
)

BRIDGE = Bridge(
    name="torch 2.13: owners of autograd nodes, C++20",
    needed=since(2, 13),
    source_patches=(_NODE_REFERENCE, _NODE_POOL, _STRONG_CDATA, _CPP_STANDARD),
)
