"""OW3xx: what ONNX Runtime cannot do."""

from __future__ import annotations

from ortwrap.engine.refusal_pages.page import HEAD, Section

PAGES = Section()
_page = PAGES.add

_page(
    "OW301",
    "a value taken out of the graph",
    "`{code}` turns a tensor of the step into a constant while the loss is computed",
    "Keep it a tensor, take its value after the backward, or compute it from inputs before the "
    "call; where it is only reported, write `x.item()` for `float(x)`.",
    "ONNX Runtime replays what was traced: `.item()`, `.tolist()`, `.numpy()` and `float()` on "
    "what the model computed would stay as they were at the first step. Numbers that `.item()` "
    "takes only to return them beside the loss are no reason: they are taken from what the graph "
    "returns. Nor are `.detach()` and `no_grad`: the gradient stops in the graph as well. A "
    "function that takes values of inputs alone is written out in the step, if it has one "
    "`return`, at its end, and its names mean the same there.",
    HEAD + "out = model(torch.ones(3, 4))\nscale = out.abs().max().item()\n"
    "loss = criterion(out / scale, torch.zeros(3, 2))\nloss.backward()\n",
)
_page(
    "OW302",
    "gradients asked of inner values",
    "`{code}` asks for the gradient of `{name}`, which forward computes",
    "Drop it, or leave this step as it is.",
    "Values inside of the exported graph have no `.grad` and no hooks, and what comes out of it "
    "beside the loss hangs on nothing that the loss is computed from. Functions that the step "
    "calls are looked through for it, those of the project's other files too.",
    HEAD + "out = model(torch.ones(3, 4))\nout.retain_grad()\nloss = out.mean()\nloss.backward()\n",
)
_page(
    "OW304",
    "NumPy or random in the loss",
    "`{code}` computes with NumPy or `random` inside of the computation of the loss",
    "Draw or compute it before the model call and use the result.",
    "Such a call runs once, when the graph is exported, and its result is replayed for good.",
    "import numpy as np\n"
    + HEAD
    + "x = torch.ones(3, 4)\nout = model(x)\nloss = out.mean() * np.random.rand()\n"
    "loss.backward()\n",
)
_page(
    "OW305",
    "a branch on computed values",
    "`{code}` decides by values that {what}, while the loss is computed",
    "Write both sides with `torch.where`, or decide after the loss is known.",
    "ONNX Runtime replays the path that was taken when the graph was exported.",
    HEAD + "out = model(torch.ones(3, 4))\nif out.max() > 0.5:\n    out = out * 2\n"
    "loss = criterion(out, torch.zeros(3, 2))\nloss.backward()\n",
)
_page(
    "OW306",
    "a sample that something else sees before the loss",
    "`{code}` draws a sample that more than the loss may depend on",
    "Draw the sample without gradients before the step, and run the model once more for the loss.",
    "What a policy sampled decides what an environment does next, and the log-probability of the "
    "very same sample has to reach the loss: forward and loss are not one piece that a graph could "
    "hold. A sample drawn beforehand is an input like any other, at the price of one more forward. "
    "What `torch.distributions` draws for the loss alone may stay: torch draws it in the graph "
    "as well.",
    "import torch\nfrom torch import nn\nfrom torch.distributions import Categorical\n\n"
    "policy, rewards = nn.Linear(4, 2), [0.0, 1.0]\n"
    "dist = Categorical(logits=policy(torch.ones(4)))\naction = dist.sample()\n"
    "reward = rewards[action.item()]\nloss = -dist.log_prob(action) * reward\nloss.backward()\n",
)
_page(
    "OW307",
    "a layer made in each step",
    "`{code}` makes a layer with new weights each time that the loss is computed",
    "Make the layer once, before training, or compute with its function: "
    "`torch.nn.functional.conv2d(x, weight)`.",
    "PyTorch draws random numbers for such a layer in each step, even where the weights are "
    "overwritten at once, and the weights belong to no module that is trained. A graph draws "
    "nothing of the kind, and ortwrap's runtime would run the step eagerly for ever. Layers "
    "without weights (`nn.Softmax(dim=1)(out)`) may be made where they are called.",
    HEAD + "out = model(torch.ones(3, 4))\nloss = nn.Linear(2, 1)(out).mean()\nloss.backward()\n",
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
    + HEAD
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
    HEAD + "\n\ndef step(x, y):\n    loss = criterion(model(x), y)\n    loss.backward()\n\n\n"
    "step = torch.compile(step)\nstep(torch.ones(3, 4), torch.ones(3, 2))\n",
)
