"""What a script gets by a star import."""

import torch
import torch.nn as nn
import torch.nn.functional as F

__all__ = ["F", "nn", "torch"]
