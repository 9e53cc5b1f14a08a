"""Passes over a script until one gives a text that is safe to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from ortwrap.engine.inlining.calls import (
    TAKES_VALUES,
    InlinedCall,
    inlined_calls,
    with_calls_inlined,
)
from ortwrap.engine.names.elsewhere import Elsewhere
from ortwrap.engine.options import Options
from ortwrap.engine.pipeline import Rewrite
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.result import Result, Step
from ortwrap.engine.steps.clocks import TakenTime, taken_times, with_times_behind
from ortwrap.engine.steps.common_beginnings import (
    CommonBeginning,
    common_beginnings,
    with_starts_before,
)
from ortwrap.engine.steps.common_endings import CommonEnding, common_endings, with_notes_behind
from ortwrap.engine.steps.functions_of_rounds import (
    FunctionOfRounds,
    functions_of_rounds,
    with_functions_in_rounds,
)
from ortwrap.engine.steps.notes_of_options import NotingBranch, noting_branches, with_notes_after
from ortwrap.engine.steps.split_steps import SplitStep, split_steps, with_forward_in_backward
from ortwrap.engine.templating import InvalidTemplate
from ortwrap.engine.text.lines import lines_before
from ortwrap.engine.text.rearranged import Rearranged
from ortwrap.engine.text.safety import Unsafe
from ortwrap.engine.text.tree import SourceTree

# What a step is in one pass, and in the pass over what that has made.
_MAY_BECOME = frozenset(
    {
        ("rewritten", "skipped"),
        ("skipped", "skipped"),
        ("refused", "refused"),
        ("refused", "rewritten"),
    }
)
_Common = TypeVar("_Common", CommonBeginning, CommonEnding)
_Moved = TypeVar("_Moved", NotingBranch, TakenTime, InlinedCall, FunctionOfRounds, SplitStep)


def rewrite(tree: SourceTree, options: Options, elsewhere: Elsewhere | None = None) -> Result:
    """Rewrite a script, with the other files of its project in view or alone.

    Raises:
        InvalidTemplate: the user's template cannot be parsed, or what it makes.
    """
    first = Rewrite(tree, options, elsewhere)
    result = _checked(first, options)
    if all(step.status != "refused" for step in result.steps):
        return result
    endings = list(common_endings(first.tree, first.bindings))
    return (
        _rearranged(first, with_notes_behind, endings, options)
        or _rearranged(first, with_starts_before, list(common_beginnings(first.tree)), options)
        or _parted(first, result, options)
        or _timed(first, result, options)
        or _inlined(first, result, options)
        or _defined_in_rounds(first, result, options)
        or _joined(first, result, options)
        or result
    )


def _rearranged(
    first: Rewrite,
    rearrange: Callable[[SourceTree, list[_Common]], str],
    found: list[_Common],
    options: Options,
) -> Result | None:
    """What a pass gives once branches do not share some statements; None if that helps no step."""
    text = first.tree.text
    while found:
        emptied = [line for each in found for line in each.emptied]
        tree = SourceTree(rearrange(first.tree, found))
        second = Rewrite(tree, options, first.bindings.elsewhere, emptied=emptied)
        other = _checked(second, options)
        used = [each for each in found if second.replaces(each.line)]
        if used == found:
            return replace(other, source=text)
        if other.text == other.source and _wants_guards(other):
            # The statements are in nobody's way: without guards the step is refused at any rate.
            return replace(other, source=text, text=text)
        found = used
    return None


def _parted(first: Rewrite, result: Result, options: Options) -> Result | None:
    """What a pass gives once notes follow the branches that they stood in; None if none helps."""
    if all(step.code != "OW105" for step in result.steps):
        return None
    found = list(noting_branches(first.tree, first.bindings, first.modules, first.helpers))
    return _moved(first, result, with_notes_after, found, options)


def _timed(first: Rewrite, result: Result, options: Options) -> Result | None:
    """What a pass gives once times are taken behind the loss; None if that helps no step."""
    refused = (step.line for step in result.steps if step.code == "OW203")
    sliced = chain.from_iterable(map(first.sliced, refused))
    found = [time for units, analyses in sliced for time in taken_times(units, analyses)]
    return _moved(first, result, with_times_behind, list(dict.fromkeys(found)), options)


def _inlined(first: Rewrite, result: Result, options: Options) -> Result | None:
    """What a pass gives once helpers that take values are taken apart; None if that helps none."""
    calls = {
        step.line: [
            call
            for units, analyses in first.sliced(step.line)
            for call in inlined_calls(units, analyses)
        ]
        for step in result.steps
        if step.code in TAKES_VALUES
    }
    found = list(dict.fromkeys(chain(*calls.values())))
    moved = _moved(first, result, with_calls_inlined, found, options)
    return moved and replace(
        moved, steps=tuple(_naming(step, calls.get(step.line, ())) for step in moved.steps)
    )


def _naming(step: Step, calls: Sequence[InlinedCall]) -> Step:
    """The row of a step, which says whose statements went into forward."""
    if step.status != "rewritten" or not calls:
        return step
    helpers = " and ".join(dict.fromkeys(f"`{call.helper}`" for call in calls))
    return replace(step, message=f"{step.message}, with the statements of {helpers}")


def _moved(
    first: Rewrite,
    result: Result,
    rearrange: Callable[[SourceTree, list[_Moved]], Rearranged],
    found: list[_Moved],
    options: Options,
) -> Result | None:
    """What a pass gives once statements have moved that keep steps from it; None if none helps."""
    while found:
        moved = rearrange(first.tree, found)
        second = Rewrite(
            SourceTree(moved.text, moved.lines), options, first.bindings.elsewhere, first.left
        )
        other = _checked(second, options)
        used = [each for each in found if any(map(second.replaces, moved.come_from(each.line)))]
        if used == found or (other.text == other.source and _wants_guards(other)):
            return _with_rows_of(result, other)
        found = used
    return None


def _defined_in_rounds(first: Rewrite, result: Result, options: Options) -> Result | None:
    """What a pass gives once rounds define the functions that only they call; None if none."""
    if all(step.code != "OW107" for step in result.steps):
        return None
    found = list(functions_of_rounds(first.tree, first.bindings))
    return _moved(first, result, with_functions_in_rounds, found, options)


def _joined(first: Rewrite, result: Result, options: Options) -> Result | None:
    """What a pass gives once a method that runs backward begins with the forward; None if none."""
    if all(step.code != "OW111" for step in result.steps):
        return None
    found = list(split_steps(first.tree, first.bindings, first.modules))
    return _moved(first, result, with_forward_in_backward, found, options)


def _with_rows_of(result: Result, other: Result) -> Result | None:
    """Another pass, told of the script as it was, if it leaves no step that one has rewritten."""
    pairs = list(zip(result.steps, other.steps))
    lost = any(one.status == "rewritten" != two.status for one, two in pairs)
    if lost or len(result.steps) != len(other.steps):
        return None
    text = result.source if other.text == other.source else other.text
    better = (two.status == "rewritten" or two.code == "OW313" for _, two in pairs)
    steps = tuple(
        replace(two, line=one.line) if told else one for (one, two), told in zip(pairs, better)
    )
    return replace(result, text=text, steps=steps, changes=other.changes)


def _wants_guards(result: Result) -> bool:
    return any(step.code == "OW313" for step in result.steps)


def _checked(attempt: Rewrite, options: Options) -> Result:
    """What a pass over a script gives, once its text is known to be safe."""
    result = attempt.run()
    if result.text == result.source:
        return result
    try:
        if attempt.again(result).run().text == result.text:
            return result
        # What stood in the way of one step may have moved with another.
        lines = lines_before(result.source, result.text)
        return _both(result, _checked(attempt.again(result, lines), options))
    except Unsafe as unsafe:
        if options.template is not None:
            why = f"of the script that it makes, {unsafe}"
            raise InvalidTemplate(options.template, why) from unsafe
        return _refuse_all(result, str(unsafe))


def _both(first: Result, further: Result) -> Result:
    """Two passes as one.

    Raises:
        Unsafe: the second does more than to rewrite steps that the first has refused.
    """
    became = {(one.status, two.status) for one, two in zip(first.steps, further.steps)}
    if len(first.steps) != len(further.steps) or not became <= _MAY_BECOME:
        raise Unsafe("a second rewrite would change it again")
    steps = [
        replace(two, line=one.line) if two.status == "rewritten" else one
        for one, two in zip(first.steps, further.steps)
    ]
    changes = sorted((*first.changes, *further.changes), key=lambda change: change.line)
    return replace(first, text=further.text, steps=tuple(steps), changes=tuple(changes))


def _refuse_all(result: Result, why: str) -> Result:
    """The same steps, none of them rewritten, since the patched text is not to be trusted."""
    refusal = Refuse("OW901", why=why)
    steps = tuple(
        replace(
            step,
            status="refused",
            code=refusal.page.code,
            message=refusal.message,
            advice=refusal.advice,
            class_name=None,
        )
        if step.status == "rewritten"
        else step
        for step in result.steps
    )
    return replace(result, text=result.source, steps=steps)
