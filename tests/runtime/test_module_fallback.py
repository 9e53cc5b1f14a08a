"""What ONNX Runtime cannot do runs eagerly, after one warning, as if nothing had been tried."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader
from twins import Twins, WithLoss, mlp

from ortwrap.runtime import OrtwrapWarning, ort_module


def batch(size: int = 6) -> tuple[Tensor, Tensor]:
    return torch.randn(size, 8), torch.randint(0, 4, (size,))


class Unexportable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 4)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.5)

    def forward(self, data: Tensor) -> Tensor:
        hidden = self.drop(self.norm(self.linear(data)))
        return hidden if not torch.jit.is_tracing() else no_graph_can_hold(hidden)


def no_graph_can_hold(hidden: Tensor) -> Tensor:
    raise NotImplementedError("only eager can do this")


def state_of(model: nn.Module) -> dict[str, object]:
    hooks = [
        len(table)
        for module in model.modules()
        for name, table in vars(module).items()
        if name.endswith("_hooks")
    ]
    return {
        "values": {name: value.clone() for name, value in model.state_dict().items()},
        "modes": [module.training for module in model.modules()],
        "gradients": [parameter.grad for parameter in model.parameters()],
        "hooks": hooks,
        "random": torch.get_rng_state(),
    }


def test_a_failed_export_warns_once_names_the_line_and_leaves_no_trace() -> None:
    model = Unexportable()
    model.norm.eval()
    model.norm.weight.requires_grad_(False)
    reference = copy.deepcopy(model)
    data, target = batch()
    state = torch.get_rng_state()
    expected = F.cross_entropy(reference(data), target)
    wanted = state_of(reference)
    torch.set_rng_state(state)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loss = step(data, target)
        found = state_of(model)
        step(data, target)
        step(data, target)
    assert torch.equal(loss, expected)
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)
    messages = [str(one.message) for one in caught if issubclass(one.category, OrtwrapWarning)]
    assert len(messages) == 1
    line = no_graph_can_hold.__code__.co_firstlineno + 1
    assert f"{__file__}:{line}" in messages[0]
    row = step.report()["signatures"][0]
    assert (row["backend"], row["calls"], row["ort_calls"]) == ("eager", 3, 0)
    assert row["place"] == f"{__file__}:{line}"


def test_a_successful_attempt_leaves_no_trace_either() -> None:
    model = mlp(8, 16, 4, last=[nn.Dropout(0.5)])
    reference = copy.deepcopy(model)
    data, target = batch()
    state = torch.get_rng_state()
    expected = F.cross_entropy(reference(data), target)
    wanted = state_of(reference)
    torch.set_rng_state(state)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    loss = step(data, target)
    assert torch.equal(loss, expected)
    torch.testing.assert_close(state_of(model), wanted, rtol=0, atol=0)
    loss.backward()
    expected.backward()
    for mine, theirs in zip(model.parameters(), reference.parameters()):
        assert torch.equal(mine.grad, theirs.grad)
    assert step.report()["signatures"][0]["backend"] == "ort"


def test_what_eager_raises_is_raised_as_it_is() -> None:
    step = ort_module(WithLoss, mlp(8, 4), nn.CrossEntropyLoss())
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        step(torch.randn(4, 9), torch.zeros(4, dtype=torch.long))
    data, target = batch()
    for _ in range(2):
        step(data, target)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        step(torch.randn(4, 9), torch.zeros(4, dtype=torch.long))


def test_batch_norm_ends_with_eagers_buffers() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 4))
    twins = Twins(model, nn.CrossEntropyLoss())
    for _ in range(4):
        twins.step(*batch())


class Flaky(torch.autograd.Function):
    """Fails once when a file tells it to, of which no guard knows."""

    told = ""

    @staticmethod
    def forward(ctx: object, data: Tensor) -> Tensor:
        if os.path.exists(Flaky.told):
            os.unlink(Flaky.told)
            raise RuntimeError("a kernel failed")
        return data.clone()

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return gradient


class Noisy(nn.Module):
    """Changes buffers and draws random numbers before it fails."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(8, 4), nn.BatchNorm1d(4)

    def forward(self, data: Tensor) -> Tensor:
        hidden = self.norm(self.linear(data))
        return Flaky.apply(hidden + 0.1 * torch.rand_like(hidden)) * 2


def test_a_graph_that_fails_when_it_runs_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    monkeypatch.setattr(Flaky, "told", str(told))
    model = Noisy()
    model.norm.momentum = None
    reference = copy.deepcopy(model)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    generator = torch.get_rng_state()
    for number in range(4):
        data, target = torch.randn(6, 8), torch.randint(0, 4, (6,))
        if number == 2:
            told.touch()
        generator = torch.get_rng_state()
        loss = step(data, target)
        assert not told.exists()
        after = torch.get_rng_state()
        torch.set_rng_state(generator)
        expected = F.cross_entropy(reference(data), target)
        assert torch.equal(after, torch.get_rng_state())
        torch.testing.assert_close(loss, expected)
        torch.testing.assert_close(model.state_dict(), reference.state_dict())
        model.zero_grad()
        reference.zero_grad()
        loss.backward()
        expected.backward()
        torch.testing.assert_close(model.linear.weight.grad, reference.linear.weight.grad)
    rows = step.report()["signatures"]
    assert sum(row["calls"] for row in rows) == 4
    assert [row["ort_calls"] for row in rows] == [0, 1]
    assert "ONNX Runtime failed in forward" in rows[0]["reason"]
    assert "Flaky" in rows[0]["reason"]


class Brittle(torch.autograd.Function):
    """Its backward works once, until a file is removed, of which no guard knows."""

    done = ""

    @staticmethod
    def forward(ctx: object, data: Tensor) -> Tensor:
        return data.clone()

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        if os.path.exists(Brittle.done):
            raise RuntimeError("a gradient failed")
        Path(Brittle.done).touch()
        return gradient


class AfterBrittle(WithLoss):
    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        return self.criterion(Brittle.apply(self.model(data)), target)


def test_a_backward_that_fails_while_it_is_tried_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = tmp_path / "done"
    monkeypatch.setattr(Brittle, "done", str(done))
    step = ort_module(AfterBrittle, mlp(8, 4), nn.CrossEntropyLoss())
    for _ in range(2):
        loss = step(*batch())
        done.unlink(missing_ok=True)
        loss.backward()
        done.unlink()
    (row,) = step.report()["signatures"]
    assert row["backend"] == "eager"
    assert "a gradient failed" in row["reason"]
    assert "undone" not in row["reason"]


class Indirect(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: object, target: Tensor) -> Tensor:
        return F.cross_entropy(self.model(data.tensor), target)


class Slotted:
    __slots__ = ("tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def test_an_argument_that_cannot_be_looked_into_runs_eagerly() -> None:
    twins = Twins(mlp(8, 4), kind=Indirect)
    for _ in range(3):
        data, target = batch()
        twins.step(Slotted(data), target)
    assert "Slotted" in twins.reasons[0]


class OverAll(nn.Module):
    """A loss of all batches that a loader gives."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, loader: DataLoader[Tensor]) -> Tensor:
        return torch.stack([self.model(data).pow(2).mean() for data in loader]).sum()


def test_a_loader_is_read_anew_by_every_step() -> None:
    twins = Twins(mlp(8, 4), kind=OverAll)
    loader = DataLoader(torch.randn(6, 8), batch_size=2)  # type: ignore[arg-type]
    for _ in range(3):
        twins.step(loader)
    assert "DataLoader" in twins.reasons[0]


def test_data_parallel_and_compiled_models() -> None:
    model = mlp(8, 4)
    parallel = nn.DataParallel(model)
    step = ort_module(WithLoss, parallel, nn.CrossEntropyLoss())
    for _ in range(2):
        step(*batch())
    assert "DataParallel" in step.report()["signatures"][0]["reason"]

    compiled = torch.compile(mlp(8, 4), backend="eager")
    step = ort_module(WithLoss, compiled, nn.CrossEntropyLoss())
    data, target = batch()
    losses = [step(data, target) for _ in range(2)]
    torch.testing.assert_close(losses[0], losses[1])
    assert step.report()["signatures"][0]["ort_calls"] == 1


def test_an_engine_of_deepspeed_is_called_as_it_is() -> None:
    class DeepSpeedEngine(nn.Module):  # by its name, which is all that is known of one
        def __init__(self, module: nn.Module) -> None:
            super().__init__()
            self.module = module
            self.calls = 0

        def forward(self, data: Tensor) -> Tensor:
            self.calls += 1
            return self.module(data)

    engine = DeepSpeedEngine(mlp(8, 4))
    step = ort_module(WithLoss, engine, nn.CrossEntropyLoss())
    for _ in range(3):
        step(*batch())
    assert engine.calls == 3
    assert "DeepSpeed" in step.report()["signatures"][0]["reason"]


def test_a_module_that_is_an_ortmodule_already_is_unwrapped() -> None:
    from ortwrap.runtime.backend import unavailable

    assert unavailable() is None
    from onnxruntime.training.ortmodule import DebugOptions, LogLevel, ORTModule

    model = mlp(8, 4)
    wrapped = ORTModule(model, DebugOptions(log_level=LogLevel.ERROR))
    step = ort_module(WithLoss, wrapped, nn.CrossEntropyLoss())
    data, target = batch()
    for _ in range(2):
        torch.testing.assert_close(step(data, target), F.cross_entropy(model(data), target))
    assert step.report()["signatures"][0]["ort_calls"] == 1


def test_a_second_backward_raises_with_advice() -> None:
    step = ort_module(WithLoss, mlp(8, 4), nn.CrossEntropyLoss())
    step(*batch())
    loss = step(*batch())
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="ORTWRAP_BACKEND=eager"):
        loss.backward()


def test_a_step_whose_backward_failed_runs_eagerly_the_next_time() -> None:
    step = ort_module(WithLoss, mlp(8, 4), nn.CrossEntropyLoss())
    step(*batch())
    loss = step(*batch())
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="next run"):
        loss.backward()
    again = ort_module(WithLoss, mlp(8, 4), nn.CrossEntropyLoss())
    loss = again(*batch())
    loss.backward(retain_graph=True)
    loss.backward()
    (row,) = again.report()["signatures"]
    assert (row["backend"], row["calls"]) == ("eager", 1)
    assert "backward failed" in row["reason"]


def test_gradients_of_gradients_raise_instead_of_being_wrong() -> None:
    model = mlp(8, 4)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    step(*batch())
    loss = step(*batch())
    with pytest.raises(RuntimeError, match="gradients of gradients"):
        torch.autograd.grad(loss, list(model.parameters()), create_graph=True)


def test_the_environment_chooses_eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTWRAP_BACKEND", "eager")
    twins = Twins(mlp(8, 4), nn.CrossEntropyLoss())
    for _ in range(3):
        twins.step(*batch())
    assert twins.reasons == ["ORTWRAP_BACKEND=eager"]
    monkeypatch.setenv("ORTWRAP_BACKEND", "nonsense")
    with pytest.raises(ValueError, match="ORTWRAP_BACKEND"):
        ort_module(WithLoss, mlp(8, 4), nn.CrossEntropyLoss())


def test_the_report_is_written_for_the_whole_process(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent(
            """
            import torch
            from torch import nn
            from ortwrap.runtime import ort_module

            class Step(nn.Module):
                def __init__(self, model, criterion):
                    super().__init__()
                    self.model, self.criterion = model, criterion

                def forward(self, x, y):
                    return self.criterion(self.model(x), y)

            for _ in range(2):
                model = nn.Linear(4, 3)
                for _ in range(3):
                    step = ort_module(Step, model, nn.CrossEntropyLoss())
                    step(torch.randn(5, 4), torch.tensor([0, 1, 2, -100, -100])).backward()
                del model, step
            """
        )
    )
    path = tmp_path / "report.json"
    environment = {
        **__import__("os").environ,
        "ORTWRAP_REPORT": str(path),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    run = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout == run.stderr == ""
    report = json.loads(path.read_text())
    assert [wrapper["class"] for wrapper in report["wrappers"]] == ["Step", "Step"]
    for wrapper in report["wrappers"]:
        (row,) = wrapper["signatures"]
        assert wrapper["modules"] == ["Linear", "CrossEntropyLoss"]
        assert (row["backend"], row["calls"], row["ort_calls"]) == ("ort", 3, 2)
        assert row["loss_in_graph"] is True
        assert row["label_sparsity"] == "off"
        assert row["label_density"] == pytest.approx(0.6)


class MakesALayer(nn.Module):
    """A published translator makes a Transformer in forward, and then uses another."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 4)
        self.drop = nn.Dropout(0.5)

    def forward(self, data: Tensor) -> Tensor:
        nn.Linear(8, 8)
        return self.drop(self.linear(data))


def test_numbers_that_are_drawn_for_nothing_keep_their_place() -> None:
    """A graph would leave them out, and every mask and every shuffle after it be another."""
    twins = Twins(MakesALayer(), nn.CrossEntropyLoss())
    for _ in range(3):
        twins.step(*batch())
    assert "how many random numbers are drawn" in twins.reasons[0]
