"""Of several reasons for a refusal the one is given that the user can act on."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

HEAD = "import torch\nfrom torch import nn\n\nmodel = nn.Linear(4, 2)\ncriterion = nn.MSELoss()\n"

REASONS = [
    (
        "a method of a base class that nobody knows is no loss",
        "OW101",
        "from framework import Base\n\n\nclass Learner(Base):\n    def one_batch(self):\n"
        "        self.predict()\n        self.backward()\n",
    ),
    (
        "an agent's temperature is trained beside its networks",
        "OW110",
        "class Agent:\n    def __init__(self):\n"
        "        self.log_alpha = torch.zeros(1, requires_grad=True)\n\n"
        "    def update(self, log_pi):\n"
        "        alpha_loss = -(self.log_alpha * (log_pi + 1).detach()).mean()\n"
        "        alpha_loss.backward()\n",
    ),
    (
        "a tensor that another loss trains is not named",
        "OW101",
        "class Agent:\n    def __init__(self):\n"
        "        self.log_alpha = torch.zeros(1, requires_grad=True)\n\n"
        "    def update(self, log_pi):\n"
        "        loss = self.given(log_pi)\n        loss.backward()\n",
    ),
    (
        "a part of what the caller gives",
        "OW102",
        "class Hook:\n    def after_train_iter(self, runner):\n"
        "        loss = runner.outputs['loss'] / runner.rounds\n        loss.backward()\n",
    ),
    (
        "weighted by an option, it is still computed here",
        "OW101",
        "def train(args, D, x):\n    loss = args.weight * D.judge(x) + D.judge(x)\n"
        "    loss.backward()\n",
    ),
    (
        "what flips pictures is no model, though its name ends in transformer",
        "OW101",
        "class Trainer:\n    def train(self, x, y):\n        out = self.run(x)\n"
        "        out = torch.stack([self._affine_transformer(each) for each in out])\n"
        "        loss = criterion(out, y)\n        loss.backward()\n",
    ),
    (
        "a condition binds the loss",
        "OW104",
        "def train(x, y):\n    while (loss := criterion(model(x), y)) > 0.1:\n"
        "        loss.backward()\n",
    ),
    (
        "a condition binds the loss, and its branch goes on with it",
        "OW104",
        "def train(x, y):\n    if (loss := criterion(model(x), y)) is not None:\n"
        "        loss = loss.relu()\n        loss.backward()\n",
    ),
    (
        "what a policy said is kept on the instance",
        "OW208",
        "class Policy(nn.Module):\n    def put(self, item):\n        self.data.append(item)\n\n"
        "    def train_net(self):\n        R = 0\n        for r, prob in self.data[::-1]:\n"
        "            R = r + 0.9 * R\n            loss = -torch.log(prob) * R\n"
        "            loss.backward()\n",
    ),
    (
        "a sum that is still empty is no loss to stop at",
        "OW105",
        "def train(x, y, terms, weight):\n    out = model(x)\n    total = 0\n"
        "    if weight:\n        term = criterion(out, y)\n        total += term\n"
        "        terms.keep(term)\n    total.backward()\n",
    ),
    (
        "an environment is stepped, which updates no weights",
        "OW306",
        "from torch.distributions import Categorical\n\n\ndef train(env, state):\n"
        "    log_probs, rewards = [], []\n    for t in range(5):\n"
        "        dist = Categorical(logits=model(state))\n        action = dist.sample()\n"
        "        state, reward, done, info = env.step(action.numpy())\n"
        "        log_probs.append(dist.log_prob(action))\n        rewards.append(reward)\n"
        "    loss = -(torch.stack(log_probs) * torch.tensor(rewards)).mean()\n"
        "    loss.backward()\n",
    ),
    (
        "a reward that NumPy makes of what the model gave",
        "OW301",
        "from metrics import reward\n\n\ndef train(x, y):\n    out = model(x)\n"
        "    weight = torch.from_numpy(reward(out, y))\n"
        "    loss = (out * weight).mean()\n    loss.backward()\n",
    ),
    (
        "a function that gives another batch at each call",
        "OW107",
        "batches = iter([torch.ones(3, 4)])\n\n\ndef batch():\n    return next(batches)\n\n\n"
        "def train():\n    loss = model(batch()).mean()\n    loss.backward()\n",
    ),
    (
        "a penalty of another file, by what it is called",
        "OW205",
        "from losses import r1_penalty\n\n\ndef train(x, y):\n    x.requires_grad = True\n"
        "    out = model(x)\n    loss = criterion(out, y) + r1_penalty(out, x)\n"
        "    loss.backward()\n",
    ),
    (
        "a penalty that another file names by two letters",
        "OW205",
        "from losses import zeroCenteredGP\n\n\ndef train(x, y):\n    x.requires_grad = True\n"
        "    out = model(x)\n    loss = criterion(out, y) + zeroCenteredGP(x, out)\n"
        "    loss.backward()\n",
    ),
    (
        "a helper that copies the model to every device",
        "OW311",
        "def spread(net, x):\n    copies = nn.parallel.replicate(net, [0, 1])\n"
        "    return torch.cat([copy(x) for copy in copies])\n\n\n"
        "def train(x, y):\n    loss = criterion(spread(model, x), y)\n    loss.backward()\n",
    ),
    (
        "a dict of the instance is filled under a second name",
        "OW105",
        "class Trainer:\n    def step(self, x, y):\n        losses = self.losses\n"
        "        losses['main'] = criterion(model(x), y)\n        losses['main'].backward()\n",
    ),
    (
        "a sharded model comes before what stands between",
        "OW312",
        "from torch.distributed.fsdp import FullyShardedDataParallel as FSDP\n"
        "sharded = FSDP(model)\n\n\ndef train(x, y):\n    out = sharded(x)\n    y.fill_(1.0)\n"
        "    loss = criterion(out, y)\n    loss.backward()\n",
    ),
    (
        "a function of the script shards the model",
        "OW312",
        "from torch.distributed.fsdp import FullyShardedDataParallel as FSDP\n\n\n"
        "def train(net, x, y):\n    sharded = shard(net)\n"
        "    loss = criterion(sharded(x), y)\n    loss.backward()\n\n\n"
        "def shard(net):\n    wrapped = FSDP(net)\n    return wrapped\n",
    ),
    (
        "a method shards the model and makes its optimizer",
        "OW312",
        "from torch.distributed.fsdp import FullyShardedDataParallel as FSDP\n\n\n"
        "class Trainer:\n    def __init__(self, net):\n"
        "        self.model, self.optimizer = self.prepare(net)\n\n"
        "    def prepare(self, net):\n        net = FSDP(net)\n"
        "        return net, torch.optim.SGD(net.parameters(), lr=0.1)\n\n"
        "    def train(self, x, y):\n        loss = criterion(self.model(x), y)\n"
        "        loss.backward()\n",
    ),
    (
        "a model that is sharded as it is",
        "OW312",
        "from torch.distributed.fsdp import fully_shard\nfully_shard(model)\n\n\n"
        "def train(x, y):\n    loss = criterion(model(x), y)\n    loss.backward()\n",
    ),
    (
        "a sharded model under a name of its own",
        "OW312",
        "from torch.distributed.fsdp import fully_shard\nsharded = fully_shard(model)\n\n\n"
        "def train(x, y):\n    loss = criterion(sharded(x), y)\n    loss.backward()\n",
    ),
    (
        "a model that runs backward and steps is an engine",
        "OW312",
        "\n\ndef train(net, batches):\n    net.train()\n    for x, y in batches:\n"
        "        loss = criterion(net(x), y)\n        net.backward(loss)\n        net.step()\n",
    ),
    (
        "a branch that only forward decides picks a module that may not be there",
        "OW112",
        "def train(x, y, nets):\n    for net in nets:\n        net.train()\n"
        "    out = model(x)\n    if out.dim() == 2:\n        out = nets[2](out)\n"
        "    loss = criterion(out, y)\n    loss.backward()\n",
    ),
    (
        "an attribute is set in two methods",
        "OW111",
        "class Trainer:\n    def __init__(self, net):\n        self.net = net\n\n"
        "    def one(self, x, y):\n        self.loss = criterion(self.net(x), y)\n\n"
        "    def two(self, x, y):\n        self.loss = criterion(self.net(self.net(x)), y)\n\n"
        "    def backward(self):\n        self.loss.backward()\n",
    ),
    (
        "the model runs in one method and its loss is computed in another",
        "OW111",
        "class Trainer:\n    def __init__(self):\n        self.net = nn.Linear(4, 2)\n\n"
        "    def forward(self, x, y):\n        self.label = y\n"
        "        self.output = self.net(x)\n\n"
        "    def backward(self):\n        self.loss = criterion(self.output, self.label)\n"
        "        self.loss.backward()\n\n"
        "    def step(self, x, y):\n        self.forward(x, y)\n        self.backward()\n",
    ),
    (
        "a criterion that another branch makes than the one that each step reads",
        "OW106",
        "class Trainer:\n    def __init__(self, options):\n        self.net = nn.Linear(4, 2)\n"
        "        self.weight = options.weight\n        if options.train:\n"
        "            self.criterion = nn.MSELoss()\n"
        "            if options.weight:\n                self.criterion_l1 = nn.L1Loss()\n\n"
        "    def step(self, x, y):\n        loss = self.criterion(self.net(x), y)\n"
        "        if self.weight:\n            loss = loss + self.criterion_l1(self.net(y), y)\n"
        "        loss.backward()\n",
    ),
    (
        "the loss begins with what only a later line of its own binds",
        "OW106",
        "def step(x, y):\n    loss = model(x).sum() + criterion(output, y)\n"
        "    output = model(x)\n    loss = loss + criterion(output, y)\n    loss.backward()\n",
    ),
    (
        "a letter without an optimizer of that letter may be anything",
        "OW101",
        "def train(G, x, y):\n    loss = ((G(x) - y) ** 2).mean()\n    loss.backward()\n",
    ),
    (
        "a letter that is a matrix beside an optimizer of that letter",
        "OW101",
        "class Trainer:\n    def __init__(self, G, optim_G):\n        self.G = G\n"
        "        self.optim_G = optim_G\n\n"
        "    def train(self, x, y):\n        loss = ((x @ self.G - y) ** 2).mean()\n"
        "        loss.backward()\n        self.optim_G.step()\n",
    ),
]


@pytest.mark.parametrize(
    ("code", "text"), [row[1:] for row in REASONS], ids=[row[0] for row in REASONS]
)
def test_the_reason_is_one_to_act_on(code: str, text: str) -> None:
    (step,) = rewrite_source(HEAD + text).steps
    assert (step.status, step.code) == ("refused", code)


# What is returned elsewhere, or kept by a graph, stays where it is.
STAYS = [
    (
        "two losses of one helper",
        "def both(x, y):\n    print(len(x))\n    out = model(x)\n"
        "    return criterion(out, y), out.mean()\n\n\n"
        "def train(x, y):\n    a, b = both(x, y)\n    a.backward(inputs=[model.weight])\n"
        "    b.backward()\n",
    ),
    (
        "a helper whose graph another backward keeps",
        "def compute(x, y):\n    print(len(x))\n    return criterion(model(x), y)\n\n\n"
        "def train(x, y):\n    loss = compute(x, y)\n    loss.backward()\n\n\n"
        "def train_twice(x, y):\n    loss = compute(x, y)\n    loss.backward(retain_graph=True)\n"
        "    loss.backward()\n",
    ),
]


@pytest.mark.parametrize("text", [row[1] for row in STAYS], ids=[row[0] for row in STAYS])
def test_a_loss_stays_where_it_is(text: str) -> None:
    result = rewrite_source(HEAD + text)
    assert result.text == HEAD + text
    assert {step.status for step in result.steps} == {"refused"}


DECIDES = (
    "def train(batches):\n    for x, marks in batches:\n        out = model(x)\n"
    "        terms = []\n"
    "        for i in range(4):\n            kept = {source}[i] >= 0\n"
    "            if kept.sum() > 1:\n                terms.append(out[i].sum())\n"
    "        loss = sum(terms)\n        loss.backward()\n"
)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        pytest.param("marks", "the step computes", id="of the batch"),
        pytest.param("out", "the model computed", id="of the model"),
    ],
)
def test_a_branch_on_values_says_whose_they_are(source: str, what: str) -> None:
    (step,) = rewrite_source(HEAD + DECIDES.format(source=source)).steps
    assert step.code == "OW305"
    assert f"`kept.sum() > 1` decides by values that {what}, " in step.message


def test_a_library_that_a_function_imports_is_one_too() -> None:
    text = (
        "def main():\n    from transformers import Trainer\n\n"
        "    trainer = Trainer(model=load(), train_dataset=read())\n    trainer.train()\n"
    )
    (step,) = rewrite_source(text).steps
    assert step.code == "OW314"


def test_what_a_refused_loss_goes_back_through_stays_outside() -> None:
    text = """\
import torch
import torch.nn.functional as F
from torch import nn

value, policy = nn.Linear(3, 1), nn.Linear(3, 1)
first, second = torch.optim.Adam(value.parameters()), torch.optim.Adam(policy.parameters())
for s in [torch.ones(4, 3)]:
    v = value(s)
    action = policy.sample(s)
    v_loss = F.mse_loss(v, action.detach())
    first.zero_grad()
    v_loss.backward()
    first.step()
    p_loss = -action.mean()
    second.zero_grad()
    p_loss.backward()
    second.step()
"""
    of_value, of_policy = rewrite_source(text).steps
    assert of_policy.code == "OW202"
    assert of_value.code == "OW203"
    assert "policy.sample" in of_value.message


OWN_BACKWARD = """\


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.optimizer = torch.optim.SGD(self.layer.parameters(), lr=0.1)

    def forward(self, x):
        return self.layer(x)

    def backward(self, loss):
        loss.backward()

    def step(self):
        self.optimizer.step()


def train(batches):
    net = Net()
    for x, y in batches:
        loss = criterion(net(x), y)
        net.backward(loss)
        net.step()
"""


def test_a_model_whose_class_says_how_it_runs_backward_is_no_engine() -> None:
    (step,) = rewrite_source(HEAD + OWN_BACKWARD).steps
    assert step.status == "rewritten"


def test_a_tensor_that_is_told_to_train_after_it_was_made() -> None:
    text = (
        "import torch\nfrom torch import nn\n\n\nclass Policy(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.log_alpha = torch.tensor(0.0)\n"
        "        self.log_alpha.requires_grad = True\n\n"
        "    def temper(self, entropy):\n"
        "        loss = -(self.log_alpha.exp() * entropy).mean()\n        loss.backward()\n"
    )
    (step,) = rewrite_source(text).steps
    assert step.code == "OW110"
    assert "computed from `self.log_alpha`, a tensor that requires grad" in step.message


def test_a_name_that_nothing_reads_is_no_reason() -> None:
    text = (
        HEAD + "def train(loader, threshold, size):\n    for x, y in loader:\n"
        "        out = model(x)\n        best, guess = torch.max(out.detach(), dim=-1)\n"
        "        sure = best.ge(threshold).float()\n        unused = best.ge(threshold)\n"
        "        weight = torch.zeros(()) if sure.sum() == 0 else sure.mean()\n"
        "        place = torch.arange(size, dtype=torch.long).to(y.device)\n"
        "        loss = nn.functional.cross_entropy(out, place) * weight\n"
        "        loss.backward()\n"
    )
    (step,) = rewrite_source(text).steps
    assert step.code == "OW305"
    assert "`sure.sum() == 0` decides by values that the model computed" in step.message
