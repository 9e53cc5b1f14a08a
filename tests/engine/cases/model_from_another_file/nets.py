"""The file that before.py and after.py take their model from."""

from torch import nn


def create_model(width):
    return nn.Sequential(nn.Linear(width, 4), nn.ReLU(), nn.Linear(4, 2))


def build_criterion():
    return nn.CrossEntropyLoss()
