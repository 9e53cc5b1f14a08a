"""What only some path of the step binds is None elsewhere, or refused where that may be read."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

HEAD = (
    "import torch\nfrom torch import nn\n\nmodel = nn.Linear(4, 4)\ncriterion = nn.MSELoss()\n\n\n"
)
STEP = (
    "        loss = criterion(model(x), y)\n"
    "        if use:\n            term = model(x).mean()\n            loss = loss + term\n"
    "        loss.backward()\n"
)
ON_INSTANCE = STEP.replace("use", "self.use").replace("term", "self.term")


def over_batches(after: str, *, first: str = "", step: str = STEP, batch: str = "x, y") -> str:
    return f"{HEAD}def train(loader, use):\n{first}    for {batch} in loader:\n{step}{after}"


def in_method(step: str = ON_INSTANCE, after: str = "") -> str:
    body = f"class Trainer:\n    def step(self, x, y):\n{step}{after}"
    return HEAD + body


BOUND_WHERE_IT_IS_READ = {
    "on the same option": over_batches("        if use:\n            print(term)\n"),
    "behind a branch that leaves": over_batches(
        "        if not use:\n            continue\n        print(term)\n"
    ),
    "after the loop": over_batches("    if use:\n        print(term)\n"),
}

MAY_BE_READ_ELSEWHERE = {
    "always": over_batches("        print(term)\n", first="    term = 0\n"),
    "on another option": over_batches("        if y is None:\n            print(term)\n"),
    "on an option that has changed": over_batches(
        "        use = not use\n        if use:\n            print(term)\n"
    ),
    "on an option of an object that a function has got hold of": over_batches(
        "        tune(use)\n        if use.it:\n            print(term)\n",
        step=STEP.replace("use", "use.it"),
    ),
    "on that of a later batch": over_batches(
        "    if use:\n        print(term)\n", batch="x, y, use"
    ),
    "of the batch before": over_batches(
        STEP, step="        if y is None:\n            print(term)\n", first="    term = 0\n"
    ),
    "in a function": over_batches(
        "        show()\n", first="    def show():\n        print(term)\n\n"
    ),
    "by whoever asks what is bound": over_batches(
        "        if use:\n            print(term, locals())\n"
    ),
    "where the answer may be another": over_batches(
        "        if use():\n            print(term)\n", step=STEP.replace("use", "use()")
    ),
}


@pytest.mark.parametrize("text", BOUND_WHERE_IT_IS_READ.values(), ids=BOUND_WHERE_IT_IS_READ)
def test_it_is_none_where_nothing_reads_it(text: str) -> None:
    result = rewrite_source(text)
    assert [step.status for step in result.steps] == ["rewritten"]
    assert "        term = None\n        if use:\n" in result.text
    assert "        loss, term = model_with_loss(x, y, use)\n" in result.text


def test_what_only_the_other_path_reads_is_not_returned() -> None:
    after = "        if not use:\n            print(term)\n"
    result = rewrite_source(over_batches(after, first="    term = 0\n"))
    assert "        loss = model_with_loss(x, y, use)\n" in result.text


@pytest.mark.parametrize("text", MAY_BE_READ_ELSEWHERE.values(), ids=MAY_BE_READ_ELSEWHERE)
def test_what_was_there_before_is_not_lost(text: str) -> None:
    (step,) = rewrite_source(text).steps
    assert (step.status, step.code) == ("refused", "OW108")


def test_an_attribute_is_set_on_its_option() -> None:
    result = rewrite_source(in_method())
    assert "loss, term = model_with_loss(x, y, self.use)" in result.text
    assert (
        "        if self.use:\n            self.term = term\n        loss.backward()\n"
        in result.text
    )


def test_a_global_of_that_name_stays_what_it_is() -> None:
    text = HEAD + "term = 3\n\n\n" + in_method(after="        print(term)\n")[len(HEAD) :]
    assert "loss, term_out = model_with_loss(x, y, self.use)" in rewrite_source(text).text


NOT_ON_ONE_OPTION = {
    "bound on two": ON_INSTANCE.replace(
        "        loss.back", "        if y is None:\n            self.term = model(y).mean()\n"
        "            loss = loss + self.term\n        loss.back",
    ),
    "not always bound on it": ON_INSTANCE.replace(
        "            self.term = model(x).mean()\n            loss = loss + self.term\n",
        "            for row in x:\n                self.term = model(row).mean()\n"
        "                loss = loss + self.term\n",
    ),
    "several statements on a line": ON_INSTANCE.replace("loss = crit", "y = y + 1; loss = crit"),
    "an option that the step changes": ON_INSTANCE.replace(
        "        loss.back", "        self.use = False\n        loss.back"
    ),
}  # fmt: skip


@pytest.mark.parametrize("step", NOT_ON_ONE_OPTION.values(), ids=NOT_ON_ONE_OPTION)
def test_an_attribute_of_no_single_option_is_refused(step: str) -> None:
    (row,) = rewrite_source(in_method(step)).steps
    assert row.status == "refused"


EARLIER = """\
import torch
from torch import nn

net = nn.Linear(2, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
try:
    print(output.shape)
except NameError:
    print("nothing yet")
for step in range(3):
    output = net(torch.ones(4, 2))
    loss = output.square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_a_name_that_is_read_before_stays_bound() -> None:
    """Once all that binds it had moved into forward, the file would not know the name at all."""
    result = rewrite_source(EARLIER)
    assert [step.status for step in result.steps] == ["rewritten"]
    assert "loss, output = net_with_loss(" in result.text
