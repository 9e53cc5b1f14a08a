"""What public scripts expect of their machine: data sets to download, GPUs, pretrained models.

`benchmarks.public_scripts` puts this folder on PYTHONPATH. Data are generated from a fixed seed;
what asks for CUDA gets the processor; models start from random weights. The scripts themselves
run as they are.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.machinery
import sys
import types

import hub
import torch
from pictures import ColouredPictures, Pictures

from ortwrap.proof.recorder.imports import when_imported


def on_the_processor() -> None:
    """`.cuda()`, `.to("cuda:0")`, `.to(0)` and NCCL stay on this machine's processor."""
    torch.Tensor.cuda = lambda self, *_, **__: self
    torch.nn.Module.cuda = lambda self, *_, **__: self
    torch.cuda.set_device = lambda *_: None
    for kind in (torch.Tensor, torch.nn.Module):
        kind.to = _here(kind.to)
    start = torch.distributed.init_process_group

    @functools.wraps(start)
    def start_here(*args: object, **kwargs: object) -> None:
        start(*args, **{**kwargs, "backend": "gloo"})

    torch.distributed.init_process_group = start_here
    parallel = torch.nn.parallel.DistributedDataParallel
    make = parallel.__init__

    @functools.wraps(make)
    def make_here(self: object, module: object, device_ids: object = None, **kwargs: object):
        make(self, module, **kwargs)

    parallel.__init__ = make_here


def _here(to):
    def place(value):
        if isinstance(value, int) and not isinstance(value, bool):
            return "cpu"
        return "cpu" if str(value).startswith("cuda") else value

    @functools.wraps(to)
    def moved(self, *args, **kwargs):
        return to(self, *map(place, args), **{name: place(each) for name, each in kwargs.items()})

    return moved


def trusted_files() -> None:
    """Files from before torch asked whom they are from; those that are read here were made here."""
    load = torch.load

    @functools.wraps(load)
    def load_all(*args: object, **kwargs: object) -> object:
        return load(*args, **{"weights_only": False, **kwargs})

    torch.load = load_all


def generated_data() -> None:
    """torchvision's data sets without a download, and its models without one."""
    # PyPI's torchvision is built for the GPU's torch: what needs its C++ is never called here.
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    generated_data.library = library
    from torchvision import datasets

    datasets.MNIST = datasets.FashionMNIST = Pictures
    datasets.CIFAR10 = ColouredPictures
    timm = types.ModuleType("timm")
    timm.__spec__ = importlib.machinery.ModuleSpec("timm", None)
    timm.create_model = _small_model
    sys.modules["timm"] = timm


class _Small(torch.nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 7, stride=8), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1)
        )
        self.fc = torch.nn.Linear(8, classes)
        self.default_cfg = {"mean": (0.5, 0.5, 0.5), "std": (0.2, 0.2, 0.2)}

    def forward(self, pictures):
        return self.fc(self.body(pictures).flatten(1))

    def get_classifier(self):
        return self.fc


def _small_model(name: str, pretrained: bool = False, num_classes: int = 10) -> torch.nn.Module:
    """In place of timm's, which would be downloaded."""
    return _Small(num_classes)


on_the_processor()
trusted_files()
with contextlib.suppress(ImportError):
    generated_data()
when_imported(
    {
        "transformers": hub.in_place_of_transformers,
        "datasets": hub.in_place_of_datasets,
        "evaluate": hub.in_place_of_evaluate,
    }
)
