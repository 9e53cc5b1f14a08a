"""What looks like a training step and is none, or must not be touched: the reason is the id."""

from __future__ import annotations

import pytest

from ortwrap.engine import Options, rewrite_source

HEAD = """\
import torch
import torch.nn as nn
import torch.nn.functional as F

model = nn.Linear(4, 2)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.ones(3, 4), torch.zeros(3, 2)
"""

NO_STEP = [
    ("only evaluates", "with torch.no_grad():\n    loss = criterion(model(x), y)\nprint(loss)\n"),
    ("backward is mentioned in a docstring", "def f():\n    '''Then call loss.backward().'''\n"),
    ("backward is mentioned in a string", "print('call loss.backward() yourself')\n"),
    ("backward is a keyword argument", "configure(backward=True)\n"),
    ("backward is a variable", "backward = 3\nprint(backward)\n"),
    (
        "an autograd Function defines backward and calls nothing",
        "class Sign(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, value):\n        return value.sign()\n\n"
        "    @staticmethod\n    def backward(ctx, grad):\n        return grad\n",
    ),
    (
        "a Function's backward calls that of its base",
        "class Scaled(Base):\n    @staticmethod\n    def backward(ctx, grad):\n"
        "        return super().backward(ctx, grad)\n",
    ),
    (
        "an extension's backward returns a gradient",
        "import sigmoid_cpp\n\n\nclass Sigmoid(torch.autograd.Function):\n"
        "    @staticmethod\n    def backward(ctx, grad):\n"
        "        return sigmoid_cpp.backward(*ctx.saved_tensors, grad)\n",
    ),
    (
        "an object's backward returns a gradient",
        "class Block(torch.autograd.Function):\n    def backward(self, grad):\n"
        "        grad = self.relu.backward(grad)\n        return grad\n",
    ),
    ("the sink is commented out", "loss = criterion(model(x), y)\n# loss.backward()\n"),
    ("a cursor moves backward", "cursor = x\nmove_backward(cursor)\n"),
]

KEEPER = """\
class Keeper:
    def __init__(self):
        self.kept = x

    def hook(self, module, args, output):
        self.kept = output

    def __call__(self, module, args, output):
        self.hook(module, args, output)

    def term(self):
        return self.kept.mean()


"""

LEFT_ALONE = [
    ("another library's backward", "import mxnet as mx\nloss = mx.nd.ones(3)\nloss.backward()\n"),
    (
        "the object of backward is an own class",
        HEAD + "class Walker:\n    def backward(self):\n        pass\n\n\n"
        "walker = Walker()\nwalker.backward()\n",
    ),
    (
        "the loss is of parameters alone",
        "import torch\nw = torch.ones(2, requires_grad=True)\n"
        "loss = (w ** 2).sum()\nloss.backward()\n",
    ),
    (
        "`model` is a tensor",
        "import torch\nmodel = torch.ones(3, requires_grad=True)\n"
        "loss = (model * 2).sum()\nloss.backward()\n",
    ),
    (
        "`model` is a list of numbers",
        "import torch\nmodel = [1.0, 2.0]\nw = torch.ones(2, requires_grad=True)\n"
        "loss = w[0] * model[0]\nloss.backward()\n",
    ),
    (
        "the graph is kept",
        HEAD + "loss = criterion(model(x), y)\nloss.backward(retain_graph=True)\nloss.backward()\n",
    ),
    (
        "the graph is kept by position",
        HEAD + "loss = criterion(model(x), y)\nloss.backward(None, True)\nloss.backward()\n",
    ),
    (
        "a hidden state carries the kept graph into the next step",
        HEAD + "h = torch.zeros(3, 2)\nfor t in range(3):\n    h = torch.tanh(model(x) + h)\n"
        "    loss = criterion(h, y)\n    loss.backward(retain_graph=True)\n",
    ),
    (
        "a running sum goes back through every kept graph",
        HEAD + "total = torch.zeros(())\nfor t in range(3):\n"
        "    total = total + criterion(model(x), y)\n    total.backward(retain_graph=True)\n",
    ),
    (
        "losses whose graphs are kept are collected",
        HEAD + "losses = []\nfor t in range(3):\n    loss = criterion(model(x), y)\n"
        "    losses.append(loss)\n    loss.backward(retain_graph=True)\n"
        "sum(losses).backward()\n",
    ),
    (
        "a module keeps its state from step to step with its graph",
        HEAD + "class Cell(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.linear = nn.Linear(4, 2)\n        self.h = torch.zeros(3, 2)\n\n"
        "    def forward(self, x):\n        self.h = torch.tanh(self.linear(x) + self.h)\n"
        "        return self.h\n\n\ncell = Cell()\nfor t in range(3):\n"
        "    loss = criterion(cell(x), y)\n    loss.backward(retain_graph=True)\n",
    ),
    (
        "gradients are differentiated",
        HEAD + "loss = criterion(model(x), y)\nloss.backward(create_graph=True)\n",
    ),
    (
        "a gradient penalty",
        HEAD + "x.requires_grad_(True)\nout = model(x)\n"
        "(g,) = torch.autograd.grad(out.sum(), x, create_graph=True)\n"
        "loss = out.mean() + g.norm(2)\nloss.backward()\n",
    ),
    (
        "two losses share a graph",
        HEAD + "out = model(x)\na = criterion(out, y)\nb = out.mean()\n"
        "a.backward(retain_graph=True)\nb.backward()\n",
    ),
    (
        "the model's output feeds two backwards in two blocks",
        HEAD + "out = model(x)\nfor t in (y, x[:, :2]):\n    loss = criterion(out, t)\n"
        "    loss.backward(retain_graph=True)\n",
    ),
    (
        "stored log-probabilities of a policy",
        HEAD + "log_probs = []\nfor t in range(3):\n    probs = F.softmax(model(x), dim=1)\n"
        "    dist = torch.distributions.Categorical(probs)\n    action = dist.sample()\n"
        "    x = env.step(action.item())\n    log_probs.append(dist.log_prob(action))\n"
        "loss = torch.stack(log_probs).sum()\nloss.backward()\n",
    ),
    (
        "how much memory a batch takes",
        HEAD + "def peak(x):\n    torch.cuda.reset_peak_memory_stats()\n"
        "    model(x).sum().backward()\n    return torch.cuda.max_memory_allocated()\n",
    ),
    (
        "a span that only the model runs in",
        HEAD + "from spans import timers\n\nwith timers('forward'):\n    out = model(x)\n"
        "loss = criterion(out, y)\nloss.backward()\n",
    ),
    (
        "an object keeps what the model computes",
        HEAD + "class Memory:\n    def keep(self, out):\n        self.last = out.detach()\n"
        "        return self.last\n\n\nmemory = Memory()\nout = model(x)\n"
        "loss = criterion(out, memory.keep(out))\nloss.backward()\n",
    ),
    (
        "a number of the output scales the loss",
        HEAD + "def scaled(out):\n    size = out.abs().mean().item()\n"
        "    return (out / size).mean(), {'size': size}\n\n\n"
        "loss, logs = scaled(model(x))\nloss.backward()\n",
    ),
    (
        "a number of one loss weighs another",
        HEAD + "def balanced(out):\n    a, b = out.mean(), out.pow(2).mean()\n"
        "    w = a.item() / b.item()\n    return a + w * b, w\n\n\n"
        "loss, w = balanced(model(x))\nloss.backward()\n",
    ),
    (
        "a number of the output is printed on the way",
        HEAD + "def noted(out, *_):\n    size = out.abs().mean().item()\n    print(size)\n"
        "    return out.mean(), size\n\n\nloss, size = noted(model(x))\nloss.backward()\n",
    ),
    (
        "a number of the output is added to the loss",
        HEAD + "def summed(out, *_):\n    loss = out.mean()\n    loss += out.std().item()\n"
        "    return loss\n\n\nloss = summed(model(x))\nloss.backward()\n",
    ),
    (
        "a forward from before an update is used after it",
        HEAD
        + "before = model(x)\noptimizer.step()\nloss = criterion(before, y)\nloss.backward()\n",
    ),
    (
        "numbers from NumPy within the loss",
        "import numpy as np\n"
        + HEAD
        + "out = model(x)\nloss = out.mean() * np.random.beta(0.2, 0.2)\nloss.backward()\n",
    ),
    (
        "the target changes in place between forward and loss",
        HEAD + "out = model(x)\nprint(out.sum())\ny.fill_(1.0)\nloss = criterion(out, y)\n"
        "loss.backward()\n",
    ),
    (
        "an activation works in place on the output",
        HEAD + "out = model(x)\nF.relu(out, inplace=True)\nloss = criterion(out, y)\n"
        "loss.backward()\n",
    ),
    (
        "a layer works in place on the output",
        HEAD + "act = nn.ReLU(inplace=True)\nout = model(x)\nact(out)\n"
        "loss = criterion(out, y)\nloss.backward()\n",
    ),
    (
        "the target is written to by `out=`",
        HEAD + "out = model(x)\nprint(out)\ntorch.clamp(y, max=1, out=y)\n"
        "loss = criterion(out, y)\nloss.backward()\n",
    ),
    (
        "a function of this file shuffles what the loss picks by",
        "import random\n" + HEAD + "order = [0, 1, 2]\n\n\ndef reshuffle():\n"
        "    random.shuffle(order)\n\n\nout = model(x)\nreshuffle()\n"
        "loss = criterion(out[order], y)\nloss.backward()\n",
    ),
    (
        "every batch of a loader is part of the loss",
        HEAD + "from torch.utils.data import DataLoader\n\n\n"
        "def train(loader):\n    losses = [model(x).mean() for x in loader]\n"
        "    loss = sum(losses) / len(loader)\n    loss.backward()\n\n\n"
        "train(DataLoader(x, shuffle=True))\n",
    ),
    (
        "a branch on the value of the output before the loss",
        HEAD + "out = model(x)\nif out.max().item() > 1:\n    out = out * 0.5\n"
        "loss = criterion(out, y)\nloss.backward()\n",
    ),
    (
        "a function flips the option between two branches on it",
        HEAD + "def train(args):\n    for i in range(4):\n        out = model(x)\n"
        "        loss = criterion(out, y)\n        if args.aux:\n            aux = out.mean()\n"
        "            loss = loss + aux\n        loss.backward()\n        flip(args)\n"
        "        if not args.aux:\n            print(aux)\n\n\n"
        "def flip(args):\n    args.aux = not args.aux\n",
    ),
    (
        "a function of another file may flip the option between two branches on it",
        HEAD + "from schedules import update\n\n\n"
        "def train(args):\n    for i in range(4):\n        out = model(x)\n"
        "        loss = criterion(out, y)\n        if args.aux:\n            aux = out.mean()\n"
        "            loss = loss + aux\n        loss.backward()\n        update(args)\n"
        "        if not args.aux:\n            print(aux)\n",
    ),
    (
        "a method flips the attribute between two branches on it",
        HEAD + "class Trainer:\n    aux = True\n\n    def flip(self):\n"
        "        self.aux = not self.aux\n\n    def train(self):\n"
        "        for i in range(4):\n            out = model(x)\n"
        "            loss = criterion(out, y)\n            if self.aux:\n"
        "                aux = out.mean()\n                loss = loss + aux\n"
        "            loss.backward()\n            self.flip()\n"
        "            if not self.aux:\n                print(aux)\n",
    ),
    (
        "a helper counts in what it is given",
        HEAD + "def compute(stats, out):\n    stats['seen'] += 1\n"
        "    return criterion(out, y) * stats['weight']\n\n\n"
        "stats = {'seen': 0, 'weight': 0.5}\nloss = compute(stats, model(x))\nloss.backward()\n",
    ),
    (
        "DataParallel gives one loss per device",
        HEAD + "parallel = nn.DataParallel(model)\nloss = parallel(x).mean()\nloss.backward()\n",
    ),
    (
        "a loss function that is given the optimizer may clear what it trains",
        HEAD + "from attacks import robust_loss\n\noptimizer.zero_grad()\n"
        "loss = robust_loss(model, x, y, optimizer)\nloss.backward()\noptimizer.step()\n",
    ),
    (
        "states in a list are replaced beside the loss",
        HEAD + "mems = [x, x]\nfor i in range(2):\n    out = model(mems[i])\n"
        "    loss, mems[i] = out.mean(), out[:, :1]\n    loss.backward()\n",
    ),
    (
        "a forward hook binds a global anew that the loss reads",
        HEAD + "kept = x\n\n\ndef keep(module, args, output):\n    global kept\n"
        "    kept = output\n\n\nmodel.register_forward_hook(keep)\nout = model(x)\n"
        "loss = criterion(out, y) + kept.mean()\nloss.backward()\n",
    ),
    (
        "forward binds a global anew that the loss reads",
        HEAD + "term = 0.0\n\n\nclass Net(nn.Linear):\n    def forward(self, x):\n"
        "        global term\n        term = x.mean()\n        return super().forward(x)\n\n\n"
        "net = Net(4, 2)\nout = net(x)\nloss = criterion(out, y) + term\nloss.backward()\n",
    ),
    (
        "a forward hook fills a dict by a lambda",
        HEAD + "kept = {}\nmodel.register_forward_hook(\n"
        "    lambda module, args, output: kept.__setitem__('out', output)\n)\nout = model(x)\n"
        "loss = criterion(out, y) + kept['out'].mean()\nloss.backward()\n",
    ),
    (
        "a forward hook sets an attribute by a lambda",
        HEAD + "class Store:\n    kept = 0.0\n\n\nstore = Store()\n"
        "model.register_forward_hook(lambda module, args, out: setattr(store, 'kept', out))\n"
        "out = model(x)\nloss = criterion(out, y) + store.kept.mean()\nloss.backward()\n",
    ),
    (
        "a forward hook is a method that keeps what it sees",
        HEAD + KEEPER + "keeper = Keeper()\nmodel.register_forward_hook(keeper.hook)\n"
        "out = model(x)\nloss = criterion(out, y) + keeper.kept.mean()\nloss.backward()\n",
    ),
    (
        "a term is summed over the hooks of a list",
        HEAD + KEEPER + "keepers = [Keeper() for _ in range(2)]\nfor keeper in keepers:\n"
        "    model.register_forward_hook(keeper.hook)\nout = model(x)\n"
        "term = sum(keeper.kept.mean() for keeper in keepers)\n"
        "loss = criterion(out, y) + term\nloss.backward()\n",
    ),
    (
        "a forward hook is an object that tells what it keeps",
        HEAD + KEEPER + "keeper = Keeper()\nmodel.register_forward_hook(keeper)\n"
        "out = model(x)\nterm = keeper.term()\nloss = criterion(out, y) + term\n"
        "loss.backward()\n",
    ),
    (
        "a forward hook is a method of the trainer",
        HEAD + "class Trainer:\n    def __init__(self):\n        self.kept = x\n"
        "        model.register_forward_hook(self.keep)\n\n"
        "    def keep(self, module, args, output):\n        self.kept = output\n\n"
        "    def step(self):\n        loss = criterion(model(x), y) + self.kept.mean()\n"
        "        loss.backward()\n\n\nTrainer().step()\n",
    ),
    (
        "a context manager binds a global anew that the loss reads",
        HEAD + "from contextlib import contextmanager\n\nscale = 1.0\n\n\n@contextmanager\n"
        "def scaled(value):\n    global scale\n    scale = value\n    yield\n\n\n"
        "with scaled(2.0):\n    out = model(x)\n"
        "loss = criterion(out, y) * scale\nloss.backward()\n",
    ),
    (
        "the context that the model runs in counts, and the loss reads it",
        HEAD + "class Budget:\n    used = 0\n\n    def __enter__(self):\n        self.used += 1\n"
        "\n    def __exit__(self, *error):\n        pass\n\n\nbudget = Budget()\n"
        "with budget:\n    out = model(x)\n"
        "loss = criterion(out, y) * budget.used\nloss.backward()\n",
    ),
    (
        "an assertion between ends where the last loss is read",
        HEAD + "loss = 0.0\nfor i in range(2):\n    try:\n        out = model(x)\n"
        "        assert i < 1\n        loss = criterion(out, y)\n        loss.backward()\n"
        "    except AssertionError:\n        print(loss)\n",
    ),
    (
        "the generator is seeded between two draws",
        HEAD + "drop = nn.Sequential(model, nn.Dropout())\nfor i in range(2):\n"
        "    out = drop(x)\n    torch.random.manual_seed(i)\n"
        "    loss = criterion(out * torch.rand_like(out), y)\n    loss.backward()\n",
    ),
    (
        "a hook on an inner value",
        HEAD + "out = model(x)\nout.register_hook(print)\n"
        "loss = criterion(out, y)\nloss.backward()\n",
    ),
    (
        "the step is compiled with its backward",
        HEAD + "def step(x, y):\n    loss = criterion(model(x), y)\n    loss.backward()\n"
        "    optimizer.step()\n\n\nfast = torch.compile(step) if x.is_cuda else step\n"
        "fast(x, y)\n",
    ),
    (
        "the step is compiled by a decorator",
        HEAD + "@torch.compile(mode='reduce-overhead')\ndef step(x, y):\n"
        "    loss = criterion(model(x), y)\n    loss.backward()\n\n\nstep(x, y)\n",
    ),
    (
        "the step is compiled where a factory has made it",
        HEAD + "def make_step(model):\n    def step(x, y):\n"
        "        loss = criterion(model(x), y)\n        loss.backward()\n\n    return step\n\n\n"
        "step = torch.compile(make_step(model))\nstep(x, y)\n",
    ),
    (
        "what is compiled runs the step",
        HEAD + "def step(x, y):\n    loss = criterion(model(x), y)\n    loss.backward()\n\n\n"
        "def epoch():\n    for i in range(3):\n        step(x, y)\n\n\n"
        "torch.compile(epoch)()\n",
    ),
    (
        "a CUDA graph captures the step",
        HEAD + "graph = torch.cuda.CUDAGraph()\nwith torch.cuda.graph(graph):\n"
        "    loss = criterion(model(x), y)\n    loss.backward()\ngraph.replay()\n",
    ),
    (
        "forward and backward are timed apart, and nothing is trained",
        "import time\n" + HEAD + "def profile(net, x):\n    t = [time.time()]\n"
        "    out = model(x)\n    t.append(time.time())\n    out.sum().backward()\n"
        "    t.append(time.time())\n    return t\n",
    ),
    (
        "what is frozen between model and loss is a part of the model",
        HEAD + "net = nn.Sequential(nn.Linear(4, 3), model)\nout = net(x)\n"
        "for p in model.parameters():\n    p.requires_grad = False\n"
        "loss = criterion(out, y) + model(x).mean()\nloss.backward()\n",
    ),
    (
        "what freezes the other network clears its gradients as well",
        HEAD + "def freeze(net):\n    for p in net.parameters():\n"
        "        p.requires_grad = False\n        p.grad = None\n\n\n"
        "critic = nn.Linear(2, 1)\nout = model(x)\nfreeze(critic)\n"
        "loss = critic(out).mean()\nloss.backward()\n",
    ),
    (
        "a handler computes the loss in another way",
        HEAD + "for i in range(3):\n    try:\n        loss = criterion(model(x), y)\n"
        "    except RuntimeError:\n        loss = criterion(model(x[:1]), y[:1])\n"
        "    loss.backward()\n",
    ),
    (
        "a handler reads what the model returned before the loss failed",
        HEAD + "for i in range(3):\n    try:\n        out = model(x)\n"
        "        loss = criterion(out, y)\n    except RuntimeError:\n        print(out.shape)\n"
        "        continue\n    loss.backward()\n",
    ),
    (
        "what has failed is read in the end",
        HEAD + "for i in range(3):\n    try:\n        out = model(x)\n"
        "        loss = criterion(out, y)\n    except RuntimeError:\n        continue\n"
        "    else:\n        loss.backward()\n    finally:\n        print(out.shape)\n",
    ),
    (
        "what draws the latents is trained too",
        HEAD + "class Coder(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.down = nn.Linear(4, 4)\n\n    def encode(self, x):\n"
        "        return torch.distributions.Normal(self.down(x), 1.0)\n\n\n"
        "coder, texts = Coder(), nn.Linear(4, 4)\n"
        "trained = [*coder.parameters(), *texts.parameters()]\n"
        "optimizer = torch.optim.SGD(trained, lr=0.1)\nhint = x\nif x.is_cuda:\n"
        "    hint = texts(x)\nlatents = coder.encode(x).rsample()\n"
        "loss = criterion(model(latents + hint), y)\nloss.backward()\n",
    ),
    (
        "a trainer of which nothing tells that it is PyTorch's",
        "from engine import Model\n\n\nclass Trainer:\n    def __init__(self, opt):\n"
        "        self.model = Model(opt)\n        self.optimizer = self.model.optimizer()\n\n"
        "    def step(self, data):\n        self.optimizer.zero_grad()\n"
        "        loss = self.model(data).mean()\n        loss.backward()\n"
        "        self.optimizer.step()\n",
    ),
    (
        "a DataParallel of another make",
        "from sync_batchnorm import DataParallelWithCallback\n"
        + HEAD
        + "model = DataParallelWithCallback(model, device_ids=[0, 1])\nloss = model(x).mean()\n"
        "loss.backward()\n",
    ),
    (
        "an attribute of the batch is set between model and loss",
        HEAD + "from batches import Batch\n\nbatch = Batch(x, y)\nout = model(batch.x)\n"
        "setattr(batch, 'y', out.detach())\nprint(out)\nloss = criterion(out, batch.y)\n"
        "loss.backward()\n",
    ),
    (
        "an attribute of a layer of the model is set between model and loss",
        HEAD + "net = nn.Sequential(model, nn.Tanh())\nout = net(x)\n"
        "setattr(model, 'scale', 2.0)\nloss = criterion(out, y) + net(x).mean()\n"
        "loss.backward()\n",
    ),
    (
        "RPC's own autograd",
        HEAD + "import torch.distributed.autograd as dist_autograd\n"
        "with dist_autograd.context() as context_id:\n    loss = criterion(model(x), y)\n"
        "    dist_autograd.backward(context_id, [loss])\n",
    ),
    (
        "a helper that only gets the loss",
        HEAD + "def step(loss):\n    optimizer.zero_grad()\n"
        "    loss.backward()\n    optimizer.step()\n",
    ),
]

SKIPPED = [
    (
        "told to skip on the sink",
        HEAD + "loss = criterion(model(x), y)\nloss.backward()  # ortwrap: skip\n",
    ),
    (
        "told to skip on the function",
        HEAD + "def train():  # ortwrap: skip\n    loss = criterion(model(x), y)\n"
        "    loss.backward()\n",
    ),
    (
        "told to skip above the function",
        HEAD + "# ortwrap: skip\ndef train():\n    loss = criterion(model(x), y)\n"
        "    loss.backward()\n",
    ),
]


def table(rows: list[tuple[str, str]]) -> pytest.MarkDecorator:
    """Rows as parameters named after their reasons."""
    return pytest.mark.parametrize("text", [pytest.param(text, id=why) for why, text in rows])


@table([(why, text if text.startswith("import") else HEAD + text) for why, text in NO_STEP])
def test_there_is_no_step(text: str) -> None:
    result = rewrite_source(text)
    assert result.text == text
    assert result.steps == ()


@table(LEFT_ALONE)
def test_it_is_left_as_it_is_with_a_reason(text: str) -> None:
    result = rewrite_source(text)
    assert result.text == text
    assert {step.status for step in result.steps} == {"refused"}
    assert all(step.code and step.message and step.advice for step in result.steps)


@table(SKIPPED)
def test_it_is_skipped_when_told_to(text: str) -> None:
    result = rewrite_source(text)
    assert result.text == text
    assert [step.status for step in result.steps] == ["skipped"]


def test_a_name_becomes_a_sink_when_the_options_say_so() -> None:
    text = HEAD + "loss = criterion(model(x), y)\nrun_backwards(loss, optimizer)\n"
    assert rewrite_source(text).steps == ()
    assert rewrite_source(text, Options(sinks=("run_backwards",))).status == "rewritten"


def test_a_gradient_by_what_is_made_behind_the_step_keeps_none_from_being_rewritten() -> None:
    text = HEAD + (
        "critic = nn.Linear(2, 1)\nfake = model(x)\nloss = -critic(fake).mean()\n"
        "loss.backward()\nmixed = (0.5 * y + 0.5 * fake.detach()).requires_grad_(True)\n"
        "(slope,) = torch.autograd.grad(critic(mixed).sum(), mixed)\nprint(slope.norm())\n"
    )
    assert [step.status for step in rewrite_source(text).steps] == ["rewritten"]
