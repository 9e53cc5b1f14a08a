"""OW2xx: graphs that steps share, and statements whose order matters."""

from __future__ import annotations

from ortwrap.engine.refusal_pages.page import HEAD, Section

PAGES = Section()
_page = PAGES.add

_page(
    "OW201",
    "a graph that is needed after its backward",
    "backward is called with `{keyword}`, which needs the graph again",
    "Detach what one step hands to the next, or add the losses of one forward, and call backward "
    "once without this argument; ORTModule computes no gradients of gradients.",
    "ORTModule computes first-order gradients, once per forward: it frees the graph with its one "
    "backward, and a second one raises. Most scripts keep the graph because a hidden state leads "
    "from one step into the next; detached, the steps are those of truncated backpropagation. "
    "Several losses of one forward have the gradients of their sum. Where nothing goes back "
    "through the graph again, `retain_graph=True` is no reason to refuse. Nor is an option of a "
    "whole training loop, `create_graph=second_order`, that nothing in the file turns on: where it "
    "is on, the first step shows it, and all of them stay with PyTorch. One that each call of a "
    "step may set is refused.",
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
    HEAD + "out = model(torch.ones(3, 4))\na = out.mean()\nb = out.std()\n"
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
    HEAD + "x, y = torch.ones(3, 4), torch.zeros(3, 2)\nout = model(x)\nprint(out)\n"
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
    HEAD + "x, y, history = torch.ones(3, 4), torch.zeros(3, 2), []\n"
    "loss = criterion(model(x), y)\nhistory.append(loss)\nloss += model(x).abs().mean()\n"
    "loss.backward()\n",
)
_page(
    "OW205",
    "gradient of the loss in the loss",
    "`{code}` takes a gradient while the loss is computed",
    "Give a penalty with this gradient a backward of its own, so that the rest of the loss can be "
    "rewritten, and leave meta-learning as it is: ORTModule computes no gradients of gradients.",
    "Gradient penalties and meta-learning differentiate through a gradient. The gradients of two "
    "backwards add up to those of the sum, at the price of one more forward: the penalty then "
    "stays with PyTorch, and the loss beside it goes to ONNX Runtime.",
    HEAD + "\nx, y = torch.ones(3, 4, requires_grad=True), torch.zeros(3, 2)\nout = model(x)\n"
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
    HEAD + "out = model(torch.ones(3, 4))\ntorch.autograd.backward([out.mean(), out.std()])\n",
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
    + HEAD
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
    HEAD + "critic = nn.Linear(2, 1)\nactions = model(torch.ones(3, 4))\n"
    "loss = -critic(actions).mean()\n"
    "(slope,) = torch.autograd.grad(loss, actions, retain_graph=True)\n"
    "print(slope.norm())\nloss.backward()\n",
)
_page(
    "OW211",
    "what the model's run may leave behind",
    "the model's run may change `{name}` beside what it returns, and the loss reads it",
    "Return it from the model's forward instead of keeping it by a hook or in a global "
    "(torchvision's `create_feature_extractor` returns the outputs of layers); where no run of the "
    "model changes it, read it before the model call.",
    "In a graph the loss would read what the run of another step has left. A hook runs while a "
    "graph is exported, and never again: a model that has one stays with PyTorch.",
    HEAD + "kept = {}\n\n\ndef keep(module, inputs, output):\n    kept['features'] = output\n\n\n"
    "model.register_forward_hook(keep)\nout = model(torch.ones(3, 4))\n"
    "loss = criterion(out, torch.zeros(3, 2)) + kept['features'].abs().mean()\nloss.backward()\n",
)
