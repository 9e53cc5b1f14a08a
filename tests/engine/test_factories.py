"""Which classes and functions of libraries make modules, and which of the rest make none."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source
from ortwrap.engine.evidence.kinds import built_by

MODULES = """
torch.nn.GRU torch.nn.modules.Linear transformers.AutoModel transformers.MarianMTModel
transformers.models.bert.modeling_bert.BertOutput diffusers.UNet2DModel timm.create_model
timm.models.layers.DropPath timm.utils.ModelEmaV2 peft.get_peft_model torchvision.models.resnet18
segmentation_models_pytorch.Unet torch_geometric.nn.MLP monai.networks.nets.UNet
open_clip.create_model
""".split()
OTHERS = """
transformers.modeling_outputs.SequenceClassifierOutput transformers.utils.ModelOutput
transformers.models.bert.modeling_bert.BertForPreTrainingOutput transformers.DynamicCache
transformers.models.llava.modeling_llava.LlavaCausalLMOutputWithPast transformers.AdamW
diffusers.models.unet_2d_condition.UNet2DConditionOutput transformers.BatchEncoding
timm.utils.accuracy timm.utils.AverageMeter timm.utils.NativeScaler timm.data.Mixup
peft.get_peft_model_state_dict segmentation_models_pytorch.metrics.get_stats
torch_geometric.nn.global_mean_pool monai.networks.one_hot open_clip.tokenize
torch.nn.parameter.Parameter torch.nn.Buffer torch.nn.attention.sdpa_kernel
torch.nn.utils.rnn.PackedSequence torchvision.models.list_models
""".split()


@pytest.mark.parametrize("name", MODULES)
def test_it_makes_a_module(name: str) -> None:
    evidence = built_by(name)
    assert evidence is not None
    assert evidence.role == "module"


@pytest.mark.parametrize("name", OTHERS)
def test_it_makes_none(name: str) -> None:
    assert built_by(name) is None


RECORD = """\
import torch
from dataclasses import dataclass
from torch import nn
from transformers.modeling_outputs import {record}


@dataclass
class Scores(ModelOutput):
    logits: torch.Tensor = None


model = nn.Linear(4, 2)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(batches):
    for x, y in batches:
        scores = {made}(logits=model(x))
        loss = criterion(scores.logits, y)
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize("made", ["Scores", "TokenClassifierOutput"])
def test_a_record_of_outputs_is_made_in_forward_and_held_by_no_wrapper(made: str) -> None:
    record = "ModelOutput, TokenClassifierOutput"
    result = rewrite_source(RECORD.format(record=record, made=made))
    assert "loss = model_with_loss(x, y)" in result.text
    assert f"scores = {made}(logits=self.model(x))" in result.text
