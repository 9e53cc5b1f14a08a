"""Sizes of results, named after the sizes of arguments that they go with."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ortwrap.runtime.operators.variation import Variation


def shapes(function, *arguments):
    """The shapes that are found for arguments whose sizes are names ("n4" was 4) or numbers."""
    seen = {
        size: int(size.lstrip("abcdefghijklmnopqrstuvwxyz"))
        for shape in arguments
        for size in shape
        if isinstance(size, str)
    }

    def attempt(known):
        sizes = [[known.get(size, size) for size in shape] for shape in arguments]
        try:
            result = function(*(torch.empty(shape, device="meta") for shape in sizes))
        except RuntimeError:
            return None
        return [result.shape]

    found = Variation(attempt, seen).shapes()
    return None if found is None else found[0]


def test_a_size_has_the_name_of_the_one_that_it_changes_with():
    assert shapes(torch.t, ("n3", "c5")) == ["c5", "n3"]


def test_channels_are_fixed_by_the_weight():
    found = shapes(lambda x, w: F.conv2d(x, w, padding=1), ("n2", "c3", "h8", "w8"), (6, 3, 3, 3))
    assert found == ["n2", 6, "h8", "w8"]


def test_sizes_that_must_be_equal_change_together():
    found = shapes(lambda x, y: torch.cat([x, y], 1), ("n3", "a4"), ("m3", "b5"))
    assert found == ["n3", None]


def test_a_pooled_pixel_is_one_and_a_strided_size_is_new():
    pooled = shapes(lambda x: F.adaptive_avg_pool2d(x, 1), ("n2", "c3", "h8", "w8"))
    assert pooled == ["n2", "c3", 1, 1]
    strided = shapes(lambda x: F.max_pool2d(x, 2), ("n2", "c3", "h8", "w8"))
    assert strided == ["n2", "c3", None, None]


def test_a_size_that_was_equal_by_chance_gets_no_name():
    assert shapes(lambda x: x.new_empty(4, x.shape[0]), ("n4",)) == [4, "n4"]


def test_a_size_that_was_zero_changes_too():
    assert shapes(lambda x: x[:, :2], ("n0", "c5")) == ["n0", 2]
    assert shapes(lambda x: x.unflatten(0, (-1, 2)), ("n0", "c5")) == [None, 2, "c5"]


def test_what_cannot_be_tried_is_not_told():
    assert shapes(torch.mm, ("a2", "b3"), ("c4", "d5")) is None
