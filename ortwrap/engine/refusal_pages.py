"""Every reason for which a step is left as it is: its code, its message and its page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class RefusalPage:
    """What `ortwrap explain CODE` shows.

    Attributes:
        code: `OW1xx` analysis, `OW2xx` graph and order, `OW3xx` what ORT cannot do.
        title: a few words.
        message: one sentence with the user's own names put in by `str.format`.
        advice: one sentence on what to change, with the same names.
        reason: why a rewrite could be wrong.
        example: a script that is refused with this code.
    """

    code: str
    title: str
    message: str
    advice: str
    reason: str
    example: str

    @property
    def advice_for_all(self) -> str:
        """The advice where no script gives its names: `<name>` stands for the user's own."""
        return re.sub(r"`\{(\w+)\}`", r"<\1>", self.advice)


_PAGES: list[RefusalPage] = []


def _page(code: str, title: str, message: str, advice: str, reason: str, example: str) -> None:
    _PAGES.append(RefusalPage(code, title, message, advice, reason, example))


_HEAD = "import torch\nfrom torch import nn\n\nmodel = nn.Linear(4, 2)\ncriterion = nn.MSELoss()\n"

_page(
    "OW101",
    "no trainable module",
    "nothing that computes `{loss}` is known to be a trainable module{unknown}",
    "Call the module where the loss is computed, and let this file tell that it is one: build it "
    "here, hand its `.parameters()` to an optimizer here, or name it `model`.",
    "The region to lift starts where a trainable module is first used. What computes this loss "
    "uses no object that the script gives evidence for: no optimizer gets its parameters, it is "
    "built from no `nn.Module`, and its name does not say so.",
    "import torch\n\nfrom helpers import predict\n\nloss = predict(torch.ones(3)).sum()\n"
    "loss.backward()\n",
)
_page(
    "OW102",
    "the loss comes from elsewhere",
    "`{loss}` comes in by a parameter of `{function}`, and no call in this file computes it",
    "Rewrite the file that calls this function, or name it there as a sink in `[tool.ortwrap]`.",
    "Forward and loss have to be seen together to be lifted; here only the backward is.",
    "import torch\n\n\ndef step(loss, optimizer):\n    loss.backward()\n    optimizer.step()\n",
)
_page(
    "OW103",
    "not PyTorch",
    "`.backward()` is called in a file that imports no PyTorch library",
    "Nothing to do if this is another library's backward; else import torch and make the optimizer "
    "in this file.",
    "Other libraries have a method of this name, and names are resolved by their imports: where "
    "everything comes from files of your own, nothing says that it is PyTorch.",
    "from training import build_model, build_optimizer, criterion, loader\n\n"
    "model = build_model()\noptimizer = build_optimizer(model)\nfor x, y in loader:\n"
    "    loss = criterion(model(x), y)\n    loss.backward()\n    optimizer.step()\n",
)
_page(
    "OW104",
    "forward and loss in different blocks",
    "the value of `{loss}` comes from several blocks of statements, the outermost at line {line}",
    "Compute the model's output and the loss in the same block.",
    "A part of the slice stands in a block that may run another number of times than the rest, "
    "so that one call cannot stand for all of it.",
    _HEAD + "out = model(torch.ones(3, 4))\nfor target in torch.zeros(2, 3, 2):\n"
    "    loss = criterion(out, target)\n    loss.backward()\n",
)
_page(
    "OW105",
    "a statement that cannot move into forward",
    "`{code}` is part of computing the loss and cannot move into forward",
    "Move what it does besides computing (I/O, yielding, changing other objects) out of the "
    "computation of the loss.",
    "The slice is lifted into a method that ONNX Runtime replays. A statement with another effect "
    "than computing a value would run there once, at export, and never again.",
    _HEAD + "seen = {}\nout = model(torch.ones(3, 4))\nfor i in range(3):\n"
    "    seen[i] = out\n    print(i)\nloss = sum(seen.values()).mean()\nloss.backward()\n",
)
_page(
    "OW106",
    "an input that may be missing",
    "`{name}` may not be bound when the step is called, since only some paths assign it",
    "Give `{name}` a value on every path before the step, `None` for instance.",
    "What forward reads is passed to it as an argument, also where only a branch reads it.",
    "from mixing import Mixing\n" + _HEAD + "\n\nclass Trainer(Mixing):\n"
    "    def step(self, x, y):\n        out = model(x)\n        loss = criterion(out, y)\n"
    "        if self.mixup:\n            loss = loss + criterion(out, self.y_b)\n"
    "        loss.backward()\n",
)
_page(
    "OW107",
    "a helper with effects or state",
    "`{name}` is called to compute the loss, and it {why}",
    "Pass what it needs as arguments and return what it computes.",
    "A function called from forward runs once, at export, and its result is replayed: what it "
    "prints, counts or clears would happen once, and a value that it reads from elsewhere would "
    "stay as it was.",
    _HEAD + "\n\nclass LossCompute:\n    def __init__(self, head):\n        self.head = head\n\n"
    "    def __call__(self, x, y):\n        return criterion(self.head(x), y)\n\n\n"
    "compute = LossCompute(nn.Linear(2, 2))\n\n\n"
    "def train(x, y):\n    loss = compute(model(x), y)\n    loss.backward()\n",
)
_page(
    "OW108",
    "a value that outlives the step",
    "`{name}` is used after the step in a way that forward cannot return (`{code}`)",
    "Compute `{name}` after the backward from what the model returned.",
    "What later statements read has to come out of forward as a tensor.",
    _HEAD
    + "for i in range(3):\n    out = model(torch.ones(3, 4))\n    if i:\n        extra = out\n"
    "        loss = criterion(extra, out)\n    else:\n        loss = out.mean()\n"
    "    loss.backward()\n    print(extra)\n",
)
_page(
    "OW109",
    "a name that is local to its function",
    "`{name}` is {what} inside `{function}`, where the generated class cannot see it",
    "Move it to the top of the file.",
    "The class stands at module level, where it can be pickled and tested; what forward uses must "
    "be visible from there or be passed in.",
    _HEAD + "\n\ndef train(x, y):\n    if x.is_cuda:\n        import torch.nn.functional as F\n"
    "    else:\n        import my_functional as F\n\n"
    "    loss = F.mse_loss(model(x), y)\n    loss.backward()\n",
)
_page(
    "OW110",
    "parameters without a module",
    "`{loss}` is computed from `{name}`, a tensor that requires grad, and from no module",
    "Make `{name}` and the other tensors `nn.Parameter`s of an `nn.Module` whose forward computes "
    "with them.",
    "ORTModule trains the parameters of a module. Tensors that the script keeps by itself would be "
    "taken for constants.",
    "import torch\n\nw = torch.zeros(3, requires_grad=True)\nloss = ((w * 2).sum() - 1) ** 2\n"
    "loss.backward()\n",
)
_page(
    "OW111",
    "forward and loss in different methods",
    "`{loss}` is computed in `{method}`, and `{function}` only goes back through it",
    "Compute the model's output and the loss in the method that calls backward, or return the loss "
    "from `{method}` and call backward on it there.",
    "Forward and loss have to be seen together to be lifted, in a method that alone computes this "
    "loss.",
    "import torch\nfrom torch import nn\n\n\nclass Trainer:\n    def __init__(self, net):\n"
    "        self.net = net\n        self.criterion = nn.MSELoss()\n\n"
    "    def forward(self, x, y):\n        self.loss = self.criterion(self.net(x), y)\n\n"
    "    def forward_twice(self, x, y):\n"
    "        self.loss = self.criterion(self.net(self.net(x)), y)\n\n"
    "    def backward(self):\n        self.loss.backward()\n",
)
_page(
    "OW112",
    "modules in a list or dict",
    "`{loss}` is computed by all modules that `{code}` holds, or by whichever it picks",
    "Give the module a name before it is called (`model = models[i]`), or put the modules into an "
    "`nn.ModuleList`, which is a module itself.",
    "The wrapper holds modules, so that their parameters train. Of one plain list it takes all; "
    "one that is picked before the loss is computed, `models[i](x)` or "
    '`nets["encoder"](x)`, is held by itself. A dict, or a second list, may hold others at each '
    "step.",
    "import torch\nfrom torch import nn\n\n"
    'models = {"a": nn.Linear(4, 2), "b": nn.Linear(4, 2)}\ncriterion = nn.MSELoss()\n'
    "x, y = torch.ones(3, 4), torch.ones(3, 2)\n"
    "loss = sum(criterion(model(x), y) for model in models.values())\nloss.backward()\n",
)
_page(
    "OW113",
    "a loss of all batches at once",
    "`{loss}` comes out of a loop over the batches that `{name}` loads",
    "Call backward on the loss of each batch, divided by their number if it is a mean: gradients "
    "add up until the optimizer steps.",
    "The loop over the loader would have to move into forward, where ONNX Runtime replays it with "
    "the batches of the first time.",
    "import torch\nfrom torch import nn\nfrom torch.utils.data import DataLoader\n\n"
    "model = nn.Linear(4, 2)\nloader = DataLoader(torch.ones(8, 4), batch_size=2)\nloss = 0\n"
    "for x in loader:\n    loss = loss + model(x).pow(2).mean()\nloss.backward()\n",
)
_page(
    "OW114",
    "measured, not trained",
    "`{name}` takes the time of forward and backward apart (`{code}`) and updates no weights",
    "Leave it as it is; `ortwrap bench` measures what a training step takes on ONNX Runtime.",
    "With model and loss in one call the clock between them would stand behind the loss: what is "
    "shown as the time of forward would be another thing than before. In a step that trains that "
    "is a number in a log; here it is all that the code is for.",
    "import time\n\n" + _HEAD + "\n\ndef profile(x):\n    start = time.time()\n    out = model(x)\n"
    "    forward = time.time() - start\n    out.sum().backward()\n"
    "    print(forward, time.time() - start)\n",
)
_page(
    "OW201",
    "a graph that is needed after its backward",
    "backward is called with `{keyword}`, which needs the graph again",
    "Detach what one step hands to the next, or add the losses of one forward, and call backward "
    "once without this argument; gradients of gradients cannot be had from ORTModule.",
    "ORTModule computes first-order gradients, once per forward: it frees the graph with its one "
    "backward, and a second one raises. Most scripts keep the graph because a hidden state leads "
    "from one step into the next; detached, the steps are those of truncated backpropagation. "
    "Several losses of one forward have the gradients of their sum. Where nothing goes back "
    "through the graph again, `retain_graph=True` is no reason to refuse.",
    "import torch\nfrom torch import nn\n\nmodel = nn.GRUCell(4, 2)\ncriterion = nn.MSELoss()\n"
    "state = torch.zeros(3, 2)\nfor x, y in zip(torch.ones(8, 3, 4), torch.zeros(8, 3, 2)):\n"
    "    state = model(x, state)\n    loss = criterion(state, y)\n"
    "    loss.backward(retain_graph=True)\n",
)
_page(
    "OW202",
    "a graph shared by two backwards",
    "`{code}` at line {line} is part of more than one loss",
    "Add the losses and call backward once, or run the forward once for each.",
    "Lifting each loss would run the shared forward twice, or ask ORTModule for two backwards "
    "through one graph.",
    _HEAD + "out = model(torch.ones(3, 4))\na = out.mean()\nb = out.std()\n"
    "a.backward(inputs=[model.weight])\nb.backward()\n",
)
_page(
    "OW203",
    "a statement between that may change the result",
    "`{code}` stands between the model call and the loss, and moving the call past it may change "
    "the result: {why}",
    "Move this line before the model call or after the loss.",
    "Model and loss become one call, so that either the model call moves down past this statement "
    "or the loss moves up past it. That is done only where the order cannot matter.",
    _HEAD + "x, y = torch.ones(3, 4), torch.zeros(3, 2)\nout = model(x)\nprint(out)\n"
    "y.fill_(1.0)\nloss = criterion(out, y)\nloss.backward()\n",
)
_page(
    "OW204",
    "an earlier value is read",
    "`{code}` reads `{name}` before the computation of the loss changes it again",
    "Give the two values different names.",
    "An earlier value of a name comes out of forward under a name of its own. Here that would be "
    "another value than before: what kept the earlier one sees it change in place, or reads the "
    "name when it runs later, as a function does.",
    _HEAD + "x, y, history = torch.ones(3, 4), torch.zeros(3, 2), []\n"
    "loss = criterion(model(x), y)\nhistory.append(loss)\nloss += model(x).abs().mean()\n"
    "loss.backward()\n",
)
_page(
    "OW205",
    "gradient of the loss in the loss",
    "`{code}` takes a gradient while the loss is computed",
    "Give the term with this gradient a backward of its own, so that the rest of the loss can be "
    "rewritten; ORTModule has no gradients of gradients.",
    "Gradient penalties and meta-learning differentiate through a gradient. The gradients of two "
    "backwards add up to those of the sum, at the price of one more forward: the penalty then "
    "stays with PyTorch, and the loss beside it goes to ONNX Runtime.",
    _HEAD + "\nx, y = torch.ones(3, 4, requires_grad=True), torch.zeros(3, 2)\nout = model(x)\n"
    "(slope,) = torch.autograd.grad(out.sum(), x, create_graph=True)\n"
    "penalty = (slope.norm(dim=1) - 1).pow(2).mean()\nloss = criterion(out, y) + penalty\n"
    "loss.backward()\n",
)
_page(
    "OW206",
    "several losses in one backward",
    "backward is called on several losses at once (`{code}`)",
    "Add them up and call backward on the sum.",
    "ORTModule's backward starts from one scalar.",
    _HEAD + "out = model(torch.ones(3, 4))\ntorch.autograd.backward([out.mean(), out.std()])\n",
)
_page(
    "OW207",
    "distributed autograd",
    "`{code}` runs RPC or pipeline autograd, whose graph spans several processes",
    "Leave this step as it is, or, where the model fits into one process, train copies of it with "
    "`DistributedDataParallel`.",
    "ORTModule exports one graph of one process. With `DistributedDataParallel` each process has "
    "the whole model, and only gradients travel.",
    "import torch\nimport torch.distributed.autograd as dist_autograd\n\n"
    "model = torch.nn.Linear(4, 2)\nwith dist_autograd.context() as context_id:\n"
    "    loss = model(torch.ones(3, 4)).sum()\n    dist_autograd.backward(context_id, [loss])\n",
)
_page(
    "OW208",
    "log-probabilities stored while acting",
    "`{loss}` goes back through what `{code}` stored at line {line}, each in a forward of its own",
    "Leave this step as it is, or store states and actions and run the model once more on all of "
    "them before the backward.",
    "Policy gradients keep the graph of every forward until the episode ends. One call of a graph "
    "cannot stand for forwards between which the environment answers.",
    "import torch\nfrom torch import nn\nfrom torch.distributions import Categorical\n\n"
    "policy = nn.Linear(4, 2)\nsaved = []\n\n\n"
    "def act(state):\n    dist = Categorical(logits=policy(state))\n    action = dist.sample()\n"
    "    saved.append(dist.log_prob(action))\n    return action.item()\n\n\n"
    "def finish_episode(returns):\n"
    "    loss = -(torch.stack(saved) * returns).sum()\n    loss.backward()\n",
)
_page(
    "OW209",
    "a value that may hold another loss's graph",
    "`{code}` is given `{name}`, of the graph of `{first}`, and `{second}` is computed from what "
    "it returns",
    "Give it `{name}.detach()` if it only measures `{name}`.",
    "What another file returns may be a number or a tensor that still hangs on the graph it was "
    "given. If it is the latter, two losses go back through one graph.",
    "from tuning import Tuner\n"
    + _HEAD
    + "tuner = Tuner()\nx, y = torch.ones(3, 4), torch.zeros(3, 2)\nstrength = 0.5\n"
    "for _ in range(3):\n    scores = model(x * strength)\n    loss = criterion(scores, y)\n"
    "    loss.backward()\n    strength = tuner.tune(scores)\n"
    "    second = criterion(model(x * strength), y)\n    second.backward()\n",
)
_page(
    "OW210",
    "a gradient of what the step computes",
    "`{code}` goes back through the graph of the loss as well",
    "Take this gradient of a second run of the model, which stays with PyTorch.",
    "ORTModule gives the gradient of a loss by its inputs, once. What lies between the two, such "
    "as the actions of an actor, comes out of the graph as values of their own: no gradient leads "
    "from the loss back to them.",
    _HEAD + "critic = nn.Linear(2, 1)\nactions = model(torch.ones(3, 4))\n"
    "loss = -critic(actions).mean()\n"
    "(slope,) = torch.autograd.grad(loss, actions, retain_graph=True)\n"
    "print(slope.norm())\nloss.backward()\n",
)
_page(
    "OW301",
    "a value taken out of the graph",
    "`{code}` turns a tensor of the step into a constant while the loss is computed",
    "Keep it a tensor, take its value after the backward, or compute it from inputs before the "
    "call; where it is only reported, write `x.item()` for `float(x)`.",
    "ONNX Runtime replays what was traced: `.item()`, `.tolist()`, `.numpy()` and `float()` on "
    "what the model computed would stay as they were at the first step. Numbers that `.item()` "
    "takes only to return them beside the loss are no reason: they are taken from what the graph "
    "returns. Nor are `.detach()` and `no_grad`: the gradient stops in the graph as well.",
    _HEAD + "out = model(torch.ones(3, 4))\nscale = out.abs().max().item()\n"
    "loss = criterion(out / scale, torch.zeros(3, 2))\nloss.backward()\n",
)
_page(
    "OW302",
    "gradients asked of inner values",
    "`{code}` asks for the gradient of `{name}`, which forward computes",
    "Drop it, or leave this step as it is.",
    "Values inside of the exported graph have no `.grad` and no hooks.",
    _HEAD
    + "out = model(torch.ones(3, 4))\nout.retain_grad()\nloss = out.mean()\nloss.backward()\n",
)
_page(
    "OW304",
    "NumPy or random in the loss",
    "`{code}` computes with NumPy or `random` inside of the computation of the loss",
    "Draw or compute it before the model call and use the result.",
    "Such a call runs once, when the graph is exported, and its result is replayed for good.",
    "import numpy as np\n"
    + _HEAD
    + "x = torch.ones(3, 4)\nout = model(x)\nloss = out.mean() * np.random.rand()\n"
    "loss.backward()\n",
)
_page(
    "OW305",
    "a branch on computed values",
    "`{code}` decides by values that the model computed, while the loss is computed",
    "Write both sides with `torch.where`, or decide after the loss is known.",
    "ONNX Runtime replays the path that was taken when the graph was exported.",
    _HEAD + "out = model(torch.ones(3, 4))\nif out.max() > 0.5:\n    out = out * 2\n"
    "loss = criterion(out, torch.zeros(3, 2))\nloss.backward()\n",
)
_page(
    "OW306",
    "a sample drawn on the way to the loss",
    "`{code}` draws a sample while the loss is computed",
    "Draw the sample without gradients before the step, and run the model once more for the loss.",
    "What a policy sampled decides what happens next in the script, and the log-probability of the "
    "very same sample has to reach the loss; ONNX Runtime would draw another one. A sample drawn "
    "beforehand is an input like any other, at the price of one more forward.",
    "import torch\nfrom torch import nn\nfrom torch.distributions import Categorical\n\n"
    "policy = nn.Linear(4, 2)\nstate, reward = torch.ones(3, 4), torch.ones(3)\n"
    "dist = Categorical(logits=policy(state))\naction = dist.sample()\n"
    "loss = -(dist.log_prob(action) * reward).mean()\nloss.backward()\n",
)
_page(
    "OW311",
    "a batch split over devices",
    "`{name}` is a `DataParallel`, which copies the model to every device at each step",
    "Move to `DistributedDataParallel`, which has one process and one loss per device, or leave "
    "out `DataParallel` where there is one device.",
    "A graph is exported for one device and one set of parameters, while `DataParallel` makes new "
    "copies of the model in every forward, runs them in threads, and would give one loss per "
    "device. PyTorch itself advises against it. With `DistributedDataParallel` each process has a "
    "model, a batch and a loss of its own: `ortwrap rewrite` takes such a script.",
    "import torch\nfrom torch import nn\n\nmodel = nn.DataParallel(nn.Linear(4, 2))\n"
    "criterion = nn.MSELoss()\nloss = criterion(model(torch.ones(3, 4)), torch.ones(3, 2))\n"
    "loss.backward()\n",
)
_page(
    "OW312",
    "an engine that owns forward and backward",
    "`{name}` {why}, which runs forward and backward in its own way",
    "Put model and loss into one module, wrap that in `ORTModule`, and hand it to the engine.",
    "Such an engine casts the inputs, shards or gathers parameters around the model's own forward, "
    "and counts its calls to know when to reduce gradients and when to step. What it does there "
    "cannot be seen in the script and may not be exported. The other way round works: a module "
    "whose forward returns the loss, wrapped in `ORTModule`, is what the engine then drives.",
    "import deepspeed\nimport torch\nfrom torch import nn\n\nmodel = nn.Linear(4, 2)\n"
    'engine, optimizer, _, _ = deepspeed.initialize(model=model, config="ds.json")\n'
    "criterion = nn.MSELoss()\nloss = criterion(engine(torch.ones(3, 4)), torch.ones(3, 2))\n"
    "engine.backward(loss)\nengine.step()\n",
)
_page(
    "OW313",
    "a step that needs guards",
    "ORTModule without ortwrap's guards may train this step wrongly: {why}",
    "Rewrite it without `--standalone`.",
    "With `--standalone` the patched script calls ORTModule directly. ORTModule traces the step "
    "once and replays the trace: what changes afterwards is silently ignored, be it the mode of a "
    "module, a branch, or a module that another library has wrapped. `ortwrap.runtime` guards each "
    "call against that.",
    "# ortwrap rewrite --standalone\n"
    + _HEAD
    + "flag = True\nout = model(torch.ones(3, 4))\nif flag:\n    loss = out.mean()\n"
    "else:\n    loss = out.sum()\nloss.backward()\n",
)
_page(
    "OW314",
    "a step that a library runs",
    "`{name}` runs forward, loss and backward in its library's own code",
    "Override `compute_loss` in a class of your own (Hugging Face), or write the update function "
    "yourself (ignite).",
    "Only what stands in the script can be lifted. For the `Trainer` of Hugging Face derive a "
    "class from it and override `compute_loss(self, model, inputs, ...)`: what that method "
    "computes with `model` is rewritten, and the rest stays the library's. For ignite write the "
    "update function (`def step(engine, batch)`) and give it to `Engine`, instead of calling "
    "`create_supervised_trainer`.",
    "from transformers import AutoModelForCausalLM, Trainer\n\n"
    'model = AutoModelForCausalLM.from_pretrained("gpt2")\ntrainer = Trainer(model=model)\n'
    "trainer.train()\n",
)
_page(
    "OW315",
    "a step that is compiled as a whole",
    "`{name}` compiles or captures this step as a whole, with its backward",
    "Take the step out of `{name}`; the model alone may stay compiled.",
    "A compiler that is given the whole step traces through forward, loss, backward and perhaps "
    "the update. What ONNX Runtime runs is no code that it could trace: it would break its graph "
    "there, or stop. Two ways to make one graph of the same step are one too many.",
    _HEAD + "\n\ndef step(x, y):\n    loss = criterion(model(x), y)\n    loss.backward()\n\n\n"
    "step = torch.compile(step)\nstep(torch.ones(3, 4), torch.ones(3, 2))\n",
)
_page(
    "OW901",
    "internal check failed",
    "the patched text did not pass ortwrap's own checks ({why})",
    "The file is unchanged; please report it with this message.",
    "Before anything is shown, the patched text must parse, resolve every name and stay the same "
    "under a second rewrite. There is no example, and nothing to write instead: what fails here is "
    "a mistake of ortwrap's, and would be mended if it were known.",
    "",
)

PAGES = MappingProxyType({page.code: page for page in _PAGES})
