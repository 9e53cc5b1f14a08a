"""How threads are shared with torch, and what the allocator keeps: no timing, only who decides."""

from __future__ import annotations

import sys

import pytest
import torch

from ortwrap.runtime import machine


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_operators_inside_a_graph_get_threads_by_their_size():
    with machine.inside_graph():
        assert torch.get_num_threads() == 1
        for heavy, elements, threads in ((False, 10, 1), (True, 10, 2), (False, 2**22, 2)):
            with machine.threads_for(heavy, elements):
                assert torch.get_num_threads() == threads
            assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_threads_come_back_after_a_failure_and_stay_outside_of_graphs():
    with pytest.raises(ValueError, match="inside"), machine.inside_graph():
        raise ValueError("inside")
    assert torch.get_num_threads() == 2
    with machine.threads_for(True, 2**22):
        assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    "name", ["aten.convolution", "aten.bmm", "aten.scaled_dot_product_attention", "aten.lstm"]
)
def test_products_are_heavy(name):
    assert machine.is_heavy(name)
    assert not machine.is_heavy("aten.dropout")


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator is glibc's")
@pytest.mark.parametrize(
    "chosen", [{"ORTWRAP_MALLOC": "system"}, {"MALLOC_TRIM_THRESHOLD_": "100000"}]
)
def test_the_user_chooses_the_allocator(chosen, monkeypatch):
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    assert not machine.keep_freed_memory.__wrapped__()
