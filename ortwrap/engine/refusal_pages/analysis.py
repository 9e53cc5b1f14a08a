"""OW1xx: what the analysis cannot tell of a step."""

from __future__ import annotations

from ortwrap.engine.refusal_pages.page import HEAD, Section

PAGES = Section()
_page = PAGES.add

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
    HEAD + "out = model(torch.ones(3, 4))\nfor target in torch.zeros(2, 3, 2):\n"
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
    HEAD + "seen = {}\nout = model(torch.ones(3, 4))\nfor i in range(3):\n"
    "    seen[i] = out\n    print(i)\nloss = sum(seen.values()).mean()\nloss.backward()\n",
)
_page(
    "OW106",
    "an input that may be missing",
    "`{name}` may not be bound when the step is called, since only some paths assign it",
    "Give `{name}` a value on every path before the step, `None` for instance.",
    "What forward reads is passed to it as an argument, also where only a branch reads it.",
    "from mixing import Mixing\n" + HEAD + "\n\nclass Trainer(Mixing):\n"
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
    HEAD + "\n\nclass LossCompute:\n    def __init__(self, head):\n        self.head = head\n"
    "        self.calls = 0\n\n    def __call__(self, x, y):\n        self.calls += 1\n"
    "        return criterion(self.head(x), y)\n\n\n"
    "compute = LossCompute(nn.Linear(2, 2))\n\n\n"
    "def train(x, y):\n    loss = compute(model(x), y)\n    loss.backward()\n",
)
_page(
    "OW108",
    "a value that outlives the step",
    "`{name}` is used after the step in a way that forward cannot return (`{code}`)",
    "Compute `{name}` after the backward from what the model returned.",
    "What later statements read has to come out of forward as a tensor.",
    HEAD + "for i in range(3):\n    out = model(torch.ones(3, 4))\n    if i:\n        extra = out\n"
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
    HEAD + "\n\ndef train(x, y):\n    if x.is_cuda:\n        import torch.nn.functional as F\n"
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
    "loss. Where one method runs `self.forward()`, clears gradients and runs `self.backward()`, "
    "they are, unless a class of the project derives from this one, a base class is not found, or "
    "something else runs `backward`.",
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
    "model = nn.Linear(4, 2)\nloader = DataLoader(torch.ones(8, 4), batch_size=2)\nlosses = []\n"
    "for x in loader:\n    losses.append(model(x).pow(2).mean())\n"
    "loss = torch.stack(losses).mean()\nloss.backward()\n",
)
_page(
    "OW114",
    "measured, not trained",
    "`{name}` measures forward and backward (`{code}`) and updates no weights",
    "Leave it as it is; `ortwrap bench` measures what a training step takes on ONNX Runtime.",
    "With model and loss in one call the clock between them would stand behind the loss: what is "
    "shown as the time of forward would be another thing than before. In a step that trains that "
    "is a number in a log; here it is all that the code is for. Code that asks how much memory a "
    "step takes would be told what the export takes as well.",
    "import time\n\n" + HEAD + "\n\ndef profile(x):\n    start = time.time()\n    out = model(x)\n"
    "    forward = time.time() - start\n    out.sum().backward()\n"
    "    print(forward, time.time() - start)\n",
)
_page(
    "OW115",
    "a handler that reads half of the step",
    "the handler at line {line} reads `{name}`, which is not bound when the loss fails, once model "
    "and loss are one call",
    "Leave `{name}` out of the handler, or check it before the loss is computed.",
    "Model and loss become one call. Where it fails nothing of it is bound: a handler that shows "
    "what the model gave would find nothing, or what the step before has left.",
    HEAD + "x, y = torch.ones(3, 4), torch.zeros(3, 2)\ntry:\n    out = model(x)\n"
    "    loss = criterion(out, y)\n    loss.backward()\nexcept RuntimeError:\n"
    "    print(out.shape)\n    raise\n",
)
_page(
    "OW116",
    "a test, not training",
    "`{name}` only {what}, and trains nothing with it",
    "Leave it as it is: the step is rewritten where it trains, in a loop that updates weights.",
    "A unit test, or the self-test at the end of a model's file, looks at the model as PyTorch "
    "runs it. Its step runs once: the graph would be exported, compared with PyTorch and never "
    "used, and the test would need ONNX Runtime. A test that trains in a loop is rewritten. So is "
    "an attack on the loss; the gradient of an output by its input, a map of what the model looks "
    "at, is no step of any training.",
    HEAD + "\n\ndef test_gradients():\n    model(torch.ones(3, 4)).sum().backward()\n"
    "    assert model.weight.grad is not None\n",
)
_page(
    "OW117",
    "PyTorch may be missing",
    "the file can be imported where `{code}` fails, and with the generated class it could not",
    "Move the training step into a file that is imported only where PyTorch is installed.",
    "The import of the runtime and the class stand at the head of the file, and both need PyTorch: "
    "the file could no longer be imported without it. So it is where only functions import it, or "
    "are handed it. A file that needs it anyway, by an import under no condition, of its own or of "
    "a file of the project that it imports, or by a module class, is rewritten.",
    "try:\n    import torch\n    from torch import nn\nexcept ImportError:\n    torch = None\n\n\n"
    "def train(x, y):\n    model = nn.Linear(4, 2)\n"
    "    loss = nn.functional.mse_loss(model(x), y)\n    loss.backward()\n",
)
_page(
    "OW118",
    "a base class that was not found",
    "`{function}` returns its loss to what calls it, and nothing at hand tells what the base class "
    "`{base}` is",
    "If it is a `{framework}`, name that among the bases too, behind the one that was not found "
    "(`class Model({base}, {framework})`): what the class derives from stays the same. A base "
    "class of the project is found if its file can be imported from where this one stands.",
    "A step that returns its loss is one if a framework calls it and runs backward: Lightning for "
    "a `training_step`, the `Trainer` of Hugging Face for a `compute_loss`. Base classes are "
    "looked for in the files of the project; installed packages are not read.",
    "import torch\nfrom torch.nn import functional as F\nfrom toolbox import Task\n\n\n"
    "class Classifier(Task):\n    def training_step(self, batch, batch_idx):\n"
    "        x, y = batch\n        return F.cross_entropy(self(x), y)\n",
)
_page(
    "OW119",
    "a loss that a library computes",
    "`{name}` is called to compute the loss, and what it does stands in {base}, which is not read",
    "Run the model here, `outputs = model(**inputs)`, and take the loss from what it returns, "
    "`outputs.loss`.",
    "The generated class has no base class of yours, and a method of a library may do more than "
    "compute: count tokens, keep metrics, move the batch. In a graph that would happen once.",
    "from transformers import Trainer\n\n\nclass Regularised(Trainer):\n"
    "    def compute_loss(self, model, inputs, return_outputs=False):\n"
    "        loss, outputs = super().compute_loss(model, inputs, return_outputs=True)\n"
    "        loss = loss + 0.1 * outputs.logits.pow(2).mean()\n"
    "        return (loss, outputs) if return_outputs else loss\n",
)
