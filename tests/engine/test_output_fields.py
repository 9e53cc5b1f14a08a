"""Fields of model outputs come back detached where nothing tells that they may be lists."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

STEP = """\
import torch
from models import Ranker

model = Ranker.from_pretrained("ranker")
optimizer = torch.optim.AdamW(model.parameters())
hits = 0
for batch in loader:
    outputs = model(**batch)
    loss = outputs.loss
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    {read}
"""
LISTS = {
    "a comprehension": "hits += torch.stack([one.argmax() for one in outputs.logits]).sum()",
    "a loop": "for one in outputs.logits: hits += one.argmax()",
    "zip": "hits += sum(one.argmax() == y for one, y in zip(outputs.logits, batch['labels']))",
    "a star": "print(*outputs.logits)",
}
TENSORS = {
    "a method": "hits += outputs.logits.argmax(-1).sum()",
    "a loop over what it gives": "for one in outputs.logits.argmax(-1): hits += one",
    "an item": "hits += outputs.logits[:, 0].sum()",
}


@pytest.mark.parametrize("read", LISTS.values(), ids=LISTS)
def test_what_is_read_as_a_list_comes_back_as_it_is(read: str) -> None:
    text = rewrite_source(STEP.format(read=read)).text
    assert "return loss, outputs.logits\n" in text


@pytest.mark.parametrize("read", TENSORS.values(), ids=TENSORS)
def test_what_is_used_as_a_tensor_comes_back_detached(read: str) -> None:
    text = rewrite_source(STEP.format(read=read)).text
    assert "return loss, outputs.logits.detach()\n" in text
