"""What can be written instead of what the pages of onnx_runtime.py refuse."""

from __future__ import annotations

from ortwrap.engine.refusal_pages.page import HEAD

REMEDIES: dict[str, str] = {
    "OW301": f"""\
{HEAD}out = model(torch.ones(3, 4))
scale = out.abs().max()
loss = criterion(out / scale, torch.zeros(3, 2))
loss.backward()
""",
    "OW302": f"""\
{HEAD}out = model(torch.ones(3, 4))
loss = out.mean()
loss.backward()
""",
    "OW304": f"""\
import numpy as np
{HEAD}x = torch.ones(3, 4)
weight = np.random.rand()
out = model(x)
loss = out.mean() * weight
loss.backward()
""",
    "OW305": f"""\
{HEAD}out = model(torch.ones(3, 4))
out = torch.where(out.max() > 0.5, out * 2, out)
loss = criterion(out, torch.zeros(3, 2))
loss.backward()
""",
    "OW306": """\
import torch
from torch import nn
from torch.distributions import Categorical

policy, rewards = nn.Linear(4, 2), [0.0, 1.0]
state = torch.ones(4)
with torch.no_grad():
    action = Categorical(logits=policy(state)).sample()
reward = rewards[action.item()]
loss = -Categorical(logits=policy(state)).log_prob(action) * reward
loss.backward()
""",
    "OW307": f"""\
{HEAD}head = nn.Linear(2, 1)
out = model(torch.ones(3, 4))
loss = head(out).mean()
loss.backward()
""",
    "OW311": """\
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

model = DistributedDataParallel(nn.Linear(4, 2))
criterion = nn.MSELoss()
loss = criterion(model(torch.ones(3, 4)), torch.ones(3, 2))
loss.backward()
""",
    "OW312": """\
import deepspeed
import torch
from onnxruntime.training.ortmodule import ORTModule
from torch import nn


class ModuleWithLoss(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model
        self.criterion = nn.MSELoss()

    def forward(self, x, y):
        return self.criterion(self.model(x), y)


model = ORTModule(ModuleWithLoss(nn.Linear(4, 2)))
engine, optimizer, _, _ = deepspeed.initialize(model=model, config="ds.json")
x, y = torch.ones(3, 4), torch.ones(3, 2)
loss = engine(x, y)
engine.backward(loss)
engine.step()
""",
    "OW313": f"""\
# ortwrap rewrite
{HEAD}flag = True
out = model(torch.ones(3, 4))
if flag:
    loss = out.mean()
else:
    loss = out.sum()
loss.backward()
""",
    "OW314": """\
import torch.nn.functional as F
from transformers import AutoModelForCausalLM, Trainer


class LossTrainer(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        loss = F.cross_entropy(outputs.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return (loss, outputs) if return_outputs else loss


model = AutoModelForCausalLM.from_pretrained("gpt2")
trainer = LossTrainer(model=model)
trainer.train()
""",
    "OW315": f"""\
{HEAD}model = torch.compile(model)


def step(x, y):
    loss = criterion(model(x), y)
    loss.backward()


step(torch.ones(3, 4), torch.ones(3, 2))
""",
}
