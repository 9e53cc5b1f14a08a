"""Activations."""

from __future__ import annotations

import torch.nn.functional as F
from torch import nn

from ..case import functions

CASES = (
    *functions(
        {
            "ReLU": F.relu,
            "ReLU6": F.relu6,
            "LeakyReLU": F.leaky_relu,
            "ELU": lambda y: F.elu(y, 0.7),
            "SELU": F.selu,
            "CELU": lambda y: F.celu(y, 1.3),
            "GELU": F.gelu,
            "GELU, tanh": lambda y: F.gelu(y, approximate="tanh"),
            "SiLU": F.silu,
            "Mish": F.mish,
            "Softplus": lambda y: F.softplus(y, 2, 3),
            "Softsign": F.softsign,
            "Softshrink": F.softshrink,
            "Hardshrink": F.hardshrink,
            "Tanhshrink": F.tanhshrink,
            "Hardtanh": F.hardtanh,
            "Hardswish": F.hardswish,
            "Hardsigmoid": F.hardsigmoid,
            "Threshold": lambda y: F.threshold(y, 0.1, 0.0),
            "LogSigmoid": F.logsigmoid,
            "Softmax": lambda y: F.softmax(y, 1),
            "Softmin": lambda y: F.softmin(y, 1),
            "LogSoftmax": lambda y: F.log_softmax(y, 1),
            "GLU": F.glu,
        }
    ),
    *functions({"PReLU": nn.PReLU(), "PReLU of each channel": nn.PReLU(6)}),
)
