"""What a loss runs in the scope of another's is told apart: neither takes the other's graph."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

STEP = """\
import torch
from torch import nn

G, D = nn.Linear(4, 4), nn.Linear(4, 1)
opt_g = torch.optim.SGD(G.parameters(), lr=0.1)
opt_d = torch.optim.SGD(D.parameters(), lr=0.1)


def train(x, y):
    with torch.autocast("cpu", enabled=False):
        fake = G(x)
        y = y + fake{cut}.mean()
        d_loss = D(y).mean() - D(fake.detach()).mean()
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()
    {second}
"""
OF_FAKE = "g_loss = -D(fake).mean()\n    opt_g.zero_grad()\n    g_loss.backward()"
ANEW = OF_FAKE.replace("D(fake)", "D(G(x))")


@pytest.mark.parametrize("cut", ["", ".detach()"], ids=["with a gradient", "without"])
def test_what_a_later_loss_goes_back_through_stays_outside(cut: str) -> None:
    result = rewrite_source(STEP.format(cut=cut, second=OF_FAKE))
    assert [step.status for step in result.steps] == ["rewritten"] * 2
    body = result.text.partition("def train(")[2]
    assert "        fake = G(x)\n" in body
    assert "fake.detach()" in body


def test_what_no_later_loss_needs_moves_into_forward() -> None:
    result = rewrite_source(STEP.format(cut="", second=ANEW))
    assert [step.status for step in result.steps] == ["rewritten"] * 2
    assert "G(x)" not in result.text.partition("def train(")[2]


def test_the_loss_of_a_network_is_none() -> None:
    step = "d_fake, loss_disc = scores(x)\n    with torch.autocast('cpu'):\n"
    step += "        loss = loss_disc\n    loss.backward()"
    text = STEP.replace("def train", "from scoring import scores\n\n\ndef train")
    text = text.partition("    with torch")[0] + f"    {step}\n"
    assert {row.status for row in rewrite_source(text.format()).steps} == {"refused"}


TUNED = """\
import torch

from tuning import Tuner, augment


def train(args, loader, G, D):
    opt_g = torch.optim.SGD(G.parameters(), lr=0.1)
    opt_d = torch.optim.SGD(D.parameters(), lr=0.1)
    p = 0.0
    tuner = Tuner()
    for i, y in enumerate(loader):
        x = torch.randn(3, 4)
        fake = G(x)
        if args.augment:
            real, _ = augment(y, p)
            fake, _ = augment(fake, p)
        else:
            real = y
        fake_pred = D(fake)
        real_pred = D(real)
        d_loss = fake_pred.mean() - real_pred.mean()
        opt_d.zero_grad()
        d_loss.backward()
        opt_d.step()
        if args.augment and args.p == 0:
            p = tuner.tune(real_pred)
        x = torch.randn(3, 4)
        fake = G(x)
        if args.augment:
            fake, _ = augment(fake, p)
        g_loss = -D(fake).mean()
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()
"""


def test_what_the_loss_of_a_wrapper_goes_back_through_is_still_another_losses() -> None:
    # The second pass over the patched text sees the wrapper's call instead of the second step.
    first = rewrite_source(TUNED)
    assert [step.code for step in first.steps] == ["OW203", None]
    assert rewrite_source(first.text).text == first.text


ACTOR_CRITIC = """\
import torch
from torch import nn
from torch.nn import functional as F

value = nn.Sequential(nn.Linear(4, 1), {drops})
policy = nn.Sequential(nn.Linear(4, 2), {drops})
critic = nn.Linear(2, 1)
opt_value = torch.optim.SGD(value.parameters(), lr=0.1)
opt_policy = torch.optim.SGD(policy.parameters(), lr=0.1)


def train(state):
    expected = value(state)
    action = policy(state)
    quality = critic(action)
    value_loss = F.mse_loss(expected, {target})
    opt_value.zero_grad()
    value_loss.backward()
    opt_value.step()
    policy_loss = -quality.mean()
    opt_policy.zero_grad()
    policy_loss.backward()
    opt_policy.step()
"""


@pytest.mark.parametrize(
    ("drops", "target", "codes"),
    [
        ("nn.ReLU()", "quality", ["OW202", "OW202"]),
        ("nn.ReLU()", "quality.detach()", [None, "OW202"]),
        ("nn.Dropout()", "quality.detach()", ["OW203", "OW202"]),
    ],
    ids=["one graph", "left where it is", "in the way"],
)
def test_what_a_refused_loss_goes_back_through_is_lifted_for_no_other(
    drops: str, target: str, codes: list[str | None]
) -> None:
    result = rewrite_source(ACTOR_CRITIC.format(drops=drops, target=target))
    assert [step.code for step in result.steps] == codes
