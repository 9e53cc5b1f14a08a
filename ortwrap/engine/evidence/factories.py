"""Classes and functions of libraries that make modules, told from the rest of these libraries."""

from __future__ import annotations

import re

FACTORIES = (
    "torchvision.models",
    "timm",
    "transformers",
    "diffusers",
    "segmentation_models_pytorch",
    "torch_geometric.nn",
    "efficientnet_pytorch",
    "monai.networks",
    "peft",
    "open_clip",
)
# Of these only classes make modules; their functions compute.
_CLASSES_ALONE = ("torch.nn.", "transformers.", "diffusers.", "torch_geometric.nn.")
_NAMES_A_CLASS = re.compile(r"\.[A-Z]")

# What such packages hold besides modules.
NO_MODULE = re.compile(
    r"Tokenizer|Config$|Processor|FeatureExtractor|scheduler|optim|DataCollator|transforms"
    r"|Trainer|Arguments$|Callback|Pipeline|\.pipeline$|\.AdamW$|\.Adafactor$|Cache$|Streamer$"
    r"|Criteria|BatchEncoding|Parser$|EvalPrediction|\.metrics\.|state_dict|preprocessing|weights?$"
    r"|\.list_models|\.tokenize$|\.one_hot$|\.(?:eval|train)_mode$|graph_node_names$"
    r"|^timm\.(?:data|utils\.(?!ModelEma))|^torch\.nn\.(?:functional|init|utils)\."
    r"|^torch\.nn\.(?:\w+\.)?(?:Parameter|Buffer)",
    re.IGNORECASE,
)
# Records that a forward returns; `BertOutput` is a module of BERT.
_RECORD = re.compile(
    r"\.modeling_\w*outputs\.|(?:Model|Base|CausalLM|Classifier|Training|Detection|Segmentation"
    r"|Generate\w*)Output$|OutputWith[A-Z]\w*$|^diffusers\..*Output$"
)


def makes_module(qualified: str) -> bool:
    """Calling what has this full name gives a module, or a criterion."""
    if not qualified.startswith(("torch.nn.", *FACTORIES)):
        return False
    if qualified.startswith(_CLASSES_ALONE) and not _NAMES_A_CLASS.search(qualified):
        return False
    return not NO_MODULE.search(qualified) and not _RECORD.search(qualified)
