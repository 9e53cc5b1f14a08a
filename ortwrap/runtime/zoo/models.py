"""Every model, by family."""

from __future__ import annotations

from . import generative, hugging_face, repositories, sequences, vision
from .model import Model, in_both_precisions

MODELS: dict[str, tuple[Model, ...]] = {
    family.__name__.rsplit(".", 1)[1]: tuple(in_both_precisions(family.MODELS))
    for family in (vision, generative, sequences, hugging_face, repositories)
    if family.MODELS
}
