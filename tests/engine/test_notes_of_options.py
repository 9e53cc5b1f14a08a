"""Notes of an option's term follow its branch, unless they could tell something else there."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

STEP = """\
import torch
from torch import nn

model = nn.Linear(4, 2)
criterion = nn.MSELoss()
kept = []


def weight():
    return len(kept)


def train(x, y, args, logs, terms, writer):
    out = model(x)
    loss = criterion(out, y)
    if {test}:
        term = model(-x).abs().mean()
        {note}
        {rest}
    loss.backward()


def again(x, y):
    loss = criterion(model(x), y)
    loss.backward()


def twice(x, y):
    loss = criterion(model(x), y)
    loss.backward(create_graph=True)
"""
NOTE = 'logs["term"] = term.item()'
ADD = "loss = loss + args.weight * term"


def script(test: str = "args.weight > 0", note: str = NOTE, rest: str = ADD) -> str:
    return STEP.format(test=test, note=note, rest=rest)


@pytest.mark.parametrize(
    "note",
    [
        NOTE,
        "terms.append(term.detach())",
        'print(f"term {term.item():.3f}")',
        'writer.add_scalar("term", term.item())',
        'writer.add_scalar(\n            "term",\n            term.item(),\n        )',
    ],
)
def test_a_note_follows_the_branch(note: str) -> None:
    result = rewrite_source(script(note=note))
    assert [step.status for step in result.steps] == ["rewritten", "rewritten", "refused"]
    assert f"    if args.weight > 0:\n        {note}\n    loss.backward()\n" in result.text


def test_every_line_is_told_as_the_script_has_it() -> None:
    text = script() + script()[script().index("def train") :].replace("def ", "def other_")
    lines = text.splitlines()
    result = rewrite_source(text)
    assert result.source == text
    assert [lines[step.line - 1].strip()[:14] for step in result.steps] == ["loss.backward("] * 6
    told = [change.why.split(";")[0] for change in result.changes if "runs lines" in change.why]
    assert told == [
        f"runs lines {start} to {start + 2} as one graph"
        for start, line in enumerate(lines, start=1)
        if line == "    out = model(x)"
    ]


STAYS = {
    "asked again it may be another answer": script(test="args.draw() > 0"),
    "the branch changes what it is taken on": script(
        rest=f"args.weight = 0.0\n        {ADD.replace('args.weight * ', '')}"
    ),
    "the term changes after the note": script(rest=f"term *= 2\n        {ADD}"),
    "so does the loss that it tells": script(note='logs["loss"] = loss.item()'),
    "what it fills is read by the branch": script(rest='loss = loss + logs["term"] * term'),
    "the branch may end before the rest": script(
        rest=f"if args.stop:\n            return\n        {ADD}"
    ),
    "a function that nobody knows is told": script(note="args.tell(term)"),
    "what it says has a comment of its own": script(note=f"{NOTE}  # for the report"),
    "a function of the script reads what it fills": script(
        note="kept.append(term.item())", rest="loss = loss + weight() * term"
    ),
    "the option is one of several": script(test="args.first:\n        pass\n    elif args.second"),
    "a branch in the branch ends with it": script(
        rest=f"{ADD}\n        if args.more:\n            loss = loss * 2\n            print(loss)"
    ),
    "it runs code": script(note='logs["term"] = args.scaled(term)'),
}


@pytest.mark.parametrize("text", STAYS.values(), ids=STAYS)
def test_it_stays_in_the_branch(text: str) -> None:
    first, *_ = rewrite_source(text).steps
    assert first.status == "refused"
