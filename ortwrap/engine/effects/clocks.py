"""Reads of a clock: `time.time()`, `perf_counter()`."""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.text.nodes import called_name, calls_in

_CLOCK = re.compile(
    r"^(?:time|time_ns|time_sync|time_synchronized|perf_counter|perf_counter_ns|default_timer"
    r"|monotonic|monotonic_ns|process_time)$"
)


def is_clock(call: cst.Call) -> bool:
    """A call that gives the time, by the names that clocks have."""
    return _CLOCK.match(called_name(call)) is not None


def reads_clock(node: cst.CSTNode) -> bool:
    """A statement or an expression asks for the time."""
    return any(map(is_clock, calls_in(node)))
