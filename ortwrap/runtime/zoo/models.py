"""Every model, by family."""

from __future__ import annotations

from . import classic, generative, hugging_face, repositories, routing, sequences, speech, vision
from .model import Model, in_both_precisions

_FAMILIES = (
    vision,
    classic,
    generative,
    sequences,
    routing,
    speech,
    hugging_face,
    repositories,
)
MODELS: dict[str, tuple[Model, ...]] = {
    family.__name__.rsplit(".", 1)[1]: tuple(in_both_precisions(family.MODELS))
    for family in _FAMILIES
    if family.MODELS
}
