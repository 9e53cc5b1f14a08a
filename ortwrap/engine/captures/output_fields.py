"""Fields of Hugging Face model outputs: ORTModule cannot return the dataclass that holds them."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from ortwrap.engine.text.nodes import called_name
from ortwrap.engine.text.tree import SourceTree

_TENSOR_FIELDS = frozenset(
    "loss logits last_hidden_state pooler_output start_logits end_logits prediction_logits "
    "seq_relationship_logits".split()
)
OUTPUT_FIELDS = _TENSOR_FIELDS.union("hidden_states attentions past_key_values sample".split())
_TAKE_APART = frozenset("enumerate iter len list map sorted tuple zip".split())


def is_tensor_field(name: str, reads: Iterable[cst.CSTNode], tree: SourceTree) -> bool:
    """A field that is a tensor by its name, and that nothing reads as a list.

    Classes of one's own return their outputs by the same dataclass, with other things in it.
    """
    return name in _TENSOR_FIELDS and not any(_is_taken_apart(node, tree) for node in reads)


def _is_taken_apart(node: cst.CSTNode, tree: SourceTree) -> bool:
    """`for logit in outputs.logits`, `zip(outputs.logits, labels)`: maybe there is one for each."""
    parent = tree.parents.get(node)
    if isinstance(parent, (cst.For, cst.CompFor)):
        return parent.iter is node
    if isinstance(parent, cst.Arg):
        call = tree.parents[parent]
        of_list = isinstance(call, cst.Call) and called_name(call) in _TAKE_APART
        return of_list or bool(parent.star)
    return isinstance(parent, cst.StarredElement)
