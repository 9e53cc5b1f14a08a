"""What counts as evidence that an object is a trainable module or a criterion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ortwrap.engine.evidence.factories import makes_module

Role = Literal["module", "criterion", "parallel", "engine"]

# Modules whose forward or backward is more than their code: no graph can stand in for them.
OWN_WAYS: frozenset[Role] = frozenset(("parallel", "engine"))


@dataclass(frozen=True)
class Evidence:
    """Why an object counts as what it does.

    Attributes:
        role: `module` for what is trained, `criterion` for what computes a loss; `parallel` and
            `engine` for what is trained in a way of its own.
        reason: half a sentence for `--verbose`.
        strength: 3 for an optimizer, 2 for a constructor or method, 1 for a call site,
            0 for a name.
    """

    role: Role
    reason: str
    strength: int


MODULE_NAME = re.compile(
    r"(?:^|_)(?:(?:\w*model|\w*net|net[a-z]{1,2}|network|encoder|decoder|generator|discriminator"
    r"|backbone|classifier|(?<!affine_)(?<!data_)(?<!image_)(?<!label_)(?<!target_)transformer|lstm|gru|rnn|vae|gan|bert|gpt|llm|vit|cnn|mlp"
    r"|resnet|unet|gen|disc|actor|critic|teacher|student)"
    r"\d*(?:_engine|_ddp|_s|_t)?)$",
    re.IGNORECASE,
)
_CRITERION_NAME = re.compile(
    r"crit(?!ic)|^cri_|(?:^|_)(?:loss(?:_?(?:fn|func|function|fct|criterion|module|layer)s?)"
    r"|\w*loss_f(?:n|nc|ct|un|unc|unction)?s?(?:_\w+|\d+)?)$|objective",
    re.IGNORECASE,
)
_BESIDE_A_CRITERION = re.compile(
    r"_(?:weights?|factors?|scales?|coeffs?|lambdas?|alphas?|betas?|ratios?|fractions?|names?|types?"
    r"|modes?|kwargs|args|params|configs?|cfg|opts?|options|optims?|optimizers?|schedulers?|lr"
    r"|steps?|iters?|iterations|epochs?|repeats?|values?|history|logs?|meters?|targets?|labels?"
    r"|preds?|loss(?:es)?|masks?|real|fake)$",
    re.IGNORECASE,
)
_TERM_NAME = re.compile(r"(?:\w*_)?loss(?:es)?_(?!\w*(?:net|network|model)\d*$)", re.IGNORECASE)
_OUTPUT_NAME = re.compile(r"(?:\w*_)?(?:outs?|outputs?|logits?|hiddens?|probs?)_", re.IGNORECASE)
CRITERION_CLASS = re.compile(r"(?:Loss|Criterion|CrossEntropy|BCE|MSE)\w*$")

MODULE_METHODS = frozenset(
    "parameters named_parameters train eval named_modules children named_children buffers "
    "named_buffers apply register_forward_hook generate module requires_grad_ no_sync".split()
)

# Methods that give the module itself.
SAME_OBJECT = frozenset(
    "to cuda cpu half float double bfloat16 train eval xpu mps apply requires_grad_".split()
)
# What gives the module that it is given.
WRAPPERS = frozenset(
    "torch.compile torch.jit.script torch.jit.trace torch.nn.DataParallel "
    "torch.nn.parallel.DataParallel torch.nn.parallel.DistributedDataParallel "
    "torch.nn.SyncBatchNorm.convert_sync_batchnorm torch_ort.ORTModule "
    "onnxruntime.training.ortmodule.ORTModule onnxruntime.training.ORTModule "
    "copy.deepcopy torch.optim.swa_utils.AveragedModel".split()
)
# `DataParallelWithCallback` is that of the much copied synchronised batch norm.
SPLITS_A_BATCH = re.compile(r"(?<!Distributed)DataParallel(?:WithCallback)?$")


def is_criterion_name(name: str) -> bool:
    """A name that people give to what computes a loss."""
    return _CRITERION_NAME.search(name) is not None


def is_beside_a_criterion(name: str) -> bool:
    """`crit_scale`, `loss_fn_weights`: what has a criterion's name in front and is none."""
    return _BESIDE_A_CRITERION.search(name) is not None


def is_name_of_term(name: str) -> bool:
    """`loss_disc`, `d_loss_gen`: the loss of a network, not the network; but `loss_net` is one."""
    return _TERM_NAME.match(name) is not None


def is_name_of_output(name: str) -> bool:
    """`out_student`, `logits_teacher`: what a network returned."""
    return _OUTPUT_NAME.match(name) is not None


def built_by(qualified: str) -> Evidence | None:
    """What calling an imported class or function gives, by its full name."""
    made = "from" if qualified.startswith("torch.nn.") else "by"
    if CRITERION_CLASS.search(qualified.rsplit(".", 1)[-1]):
        return Evidence("criterion", f"is built from `{qualified}`", 2)
    if makes_module(qualified):
        return Evidence("module", f"is built {made} `{qualified}`", 2)
    return None
