"""Outputs that are surely tensors come out detached, and nothing else does."""

from __future__ import annotations

from ortwrap.engine import rewrite_source

STEP = """\
import torch
from torch import nn

model = nn.Linear(4, 2)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(x, y, penalty):
    loss = criterion(model(x), y)
    {extra}loss.backward()
    optimizer.step()
"""


def test_a_term_that_torch_makes_is_detached_in_a_branch_as_well() -> None:
    extra = (
        "hinge = -torch.min(loss, loss * 2).mean()\n    if penalty:\n"
        "        more = torch.mean(loss)\n    else:\n        more = -torch.mean(loss)\n"
        "    loss = loss + hinge + more\n    "
    )
    step = STEP.format(extra=extra) + "    print(hinge, more)\n"
    assert "return loss, hinge.detach(), more.detach()" in rewrite_source(step).text


def test_a_pair_that_torch_gives_is_not_detached() -> None:
    extra = "pair = torch.max(loss.view(1, 1), penalty)\n    loss = loss + pair[0].sum()\n    "
    step = STEP.format(extra=extra) + "    print(pair)\n"
    assert "return loss, pair\n" in rewrite_source(step).text


def test_a_term_that_is_asked_for_its_number_is_detached() -> None:
    extra = "term = helper(loss)\n    loss = loss + 2 * term\n    "
    step = STEP.format(extra=extra) + "    print(term.item())\n"
    assert "return loss, term.detach()" in rewrite_source(step).text


def test_what_is_no_term_may_be_an_array_that_is_asked_for_its_number() -> None:
    extra = "loss, score = helper(loss)\n    "
    step = STEP.format(extra=extra) + "    print(score.item())\n"
    assert "return loss, score\n" in rewrite_source(step).text


BRANCHES = """\
import torch
from torch import nn

model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(x, y, half):
    out = model(x)
    loss = nn.functional.mse_loss(out, y)
    {seen}
    if half:
        optimizer.backward(loss)
    else:
        loss.backward()
    optimizer.step()
"""


def test_what_is_only_read_without_its_graph_is_detached_before_either_backward() -> None:
    text = rewrite_source(BRANCHES.format(seen="print(out.detach().numpy(), out.data)")).text
    assert "return loss, out.detach()\n" in text


def test_what_may_be_differentiated_before_either_backward_is_not_detached() -> None:
    text = rewrite_source(BRANCHES.format(seen="print(out.detach()); kept = keep(out)")).text
    assert "return loss, out\n" in text


def test_a_value_that_is_bound_anew_before_it_is_read_is_detached() -> None:
    step = (
        BRANCHES.format(seen="print(out.detach())") + "    out = model.eval()(x)\n    keep(out)\n"
    )
    assert "return loss, out.detach()\n" in rewrite_source(step).text


def test_what_a_number_that_is_computed_picks_from_may_be_a_list() -> None:
    step = STEP.replace(
        "    loss = criterion(model(x), y)\n",
        "    pred, loss = model(x), 0\n    for i, weight in enumerate(penalty):\n"
        "        loss += criterion(pred[2 * i], y) * weight\n",
    )
    assert "return loss, pred\n" in rewrite_source(step.format(extra="") + "    print(pred)\n").text
