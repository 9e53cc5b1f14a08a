"""Odd layers and functions, most of them seen in public training scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from .play import Make, Squared, mlp, rows, script, train
from .stateful import Net


@script
def lazy_layers(make: Make) -> Iterator[Any]:
    model = nn.Sequential(nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(3))
    model(rows())
    yield from train(make, model, kind=Squared)


@script
def lazy_layers_that_the_step_itself_makes(make: Make) -> Iterator[Any]:
    model = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 3))
    step = make(Squared, model)
    for _ in range(5):
        loss = step(rows())
        model.zero_grad()
        loss.backward()
        yield loss, [parameter.grad for parameter in model.parameters()]


class _Positive(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return F.softplus(weight)


@script
def a_parametrization_added_and_removed(make: Make) -> Iterator[Any]:
    model = mlp()

    def between(model: Any, index: int) -> None:
        if index == 2:
            parametrize.register_parametrization(model[0], "weight", _Positive())
        if index == 5:
            parametrize.remove_parametrizations(model[0], "weight")

    yield from train(make, model, kind=Squared, between=between)


@script
def an_orthogonal_weight(make: Make) -> Iterator[Any]:
    model = nn.Sequential(parametrizations.orthogonal(nn.Linear(6, 6)), nn.Linear(6, 3))
    yield from train(make, model, kind=Squared)


@script
def weight_norm_old_and_new(make: Make) -> Iterator[Any]:
    with_hook = torch.nn.utils.weight_norm(nn.Linear(6, 8))
    model = nn.Sequential(with_hook, nn.Tanh(), parametrizations.weight_norm(nn.Linear(8, 3)))
    yield from train(make, model, kind=Squared)


@script
def spectral_norm_old_and_new(make: Make) -> Iterator[Any]:
    with_hook = torch.nn.utils.spectral_norm(nn.Linear(6, 8))
    model = nn.Sequential(with_hook, nn.Tanh(), parametrizations.spectral_norm(nn.Linear(8, 3)))
    between = lambda model, index: model.train(index != 4)  # noqa: E731
    yield from train(make, model, kind=Squared, between=between)


@script
def an_embedding_with_max_norm(make: Make) -> Iterator[Any]:
    model = nn.Sequential(nn.Embedding(9, 6, max_norm=1.0), nn.Linear(6, 3))
    batch = lambda index: (torch.randint(0, 9, (4, 5)),)  # noqa: E731
    yield from train(make, model, batch, kind=Squared)


@script
def an_embedding_with_sparse_gradients(make: Make) -> Iterator[Any]:
    model = nn.Sequential(nn.Embedding(9, 6, sparse=True), nn.Linear(6, 3))
    step = make(Squared, model)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(5):
        loss = step(torch.randint(0, 9, (4, 5)))
        optimizer.zero_grad()
        loss.backward()
        yield loss, model[0].weight.grad.is_sparse, model[0].weight.grad.to_dense()
        optimizer.step()
        yield [parameter.detach().clone() for parameter in model.parameters()]


@script
def an_embedding_scaled_by_frequency(make: Make) -> Iterator[Any]:
    model = nn.Sequential(nn.Embedding(9, 6, padding_idx=0, scale_grad_by_freq=True))
    batch = lambda index: (torch.randint(0, 9, (4, 5)),)  # noqa: E731
    yield from train(make, model, batch, kind=Squared)


@script
def a_sparse_adjacency_matrix(make: Make) -> Iterator[Any]:
    class Graph(Net):
        def forward(self, x: Tensor, near: Tensor) -> Tensor:
            hidden = torch.sparse.mm(near, self.first(x)).relu()
            return torch.spmm(near, self.last(hidden)).square().mean()

    near = (torch.rand(7, 7) < 0.4).float().to_sparse()
    yield from train(make, Graph(), lambda index: (rows(7), near))


@script
def a_sparse_matrix_kept_by_the_model(make: Make) -> Iterator[Any]:
    class Graph(Net):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("near", (torch.rand(7, 7) < 0.4).float().to_sparse())

        def forward(self, x: Tensor) -> Tensor:
            return self.last(torch.sparse.mm(self.near, self.first(x))).square().mean()

    yield from train(make, Graph(), lambda index: (rows(7),))


@script
def a_fourier_transform(make: Make) -> Iterator[Any]:
    class Fourier(Net):
        def forward(self, x: Tensor) -> Tensor:
            mixed = torch.fft.fft2(self.first(x)).real
            spectrum = torch.fft.rfft(mixed, dim=-1)
            back = torch.fft.irfft(spectrum * 0.5, n=6, dim=-1)
            return self.last(back).square().mean() + 1e-3 * spectrum.abs().mean()

    yield from train(make, Fourier())


@script
def learned_weights_of_a_spectrum(make: Make) -> Iterator[Any]:
    class Spectral(Net):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(6, 4, dtype=torch.cfloat))

        def forward(self, x: Tensor) -> Tensor:
            spectrum = torch.fft.rfft(self.first(x)).unsqueeze(1) * self.weight
            return self.last(torch.fft.irfft(spectrum, n=6)).square().mean()

    yield from train(make, Spectral())


@script
def spectrograms(make: Make) -> Iterator[Any]:
    class Spectrogram(Net):
        def forward(self, x: Tensor) -> Tensor:
            wave = self.first(x).flatten()
            frames = torch.stft(wave, 8, 4, window=torch.hann_window(8), return_complex=True)
            return frames.abs().mean() + self.last(self.first(x)).square().mean()

    yield from train(make, Spectrogram(), lambda index: (rows(8),))


@script
def pooling_and_its_reverse(make: Make) -> Iterator[Any]:
    class Pools(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down, self.up = nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 1, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            small, places = F.max_pool2d(self.down(x), 2, 2, return_indices=True)
            return F.mse_loss(self.up(F.max_unpool2d(small.relu(), places, 2, 2)), x)

    yield from train(make, Pools(), lambda index: (torch.randn(2, 1, 8, 8),))


@script
def attention_with_every_option(make: Make) -> Iterator[Any]:
    class Attends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.MultiheadAttention(6, 2, add_bias_kv=True, batch_first=True)
            self.two = nn.MultiheadAttention(6, 2, add_zero_attn=True, kdim=4, vdim=5)

        def forward(self, x: Tensor, k: Tensor, v: Tensor, hidden: Tensor) -> Tensor:
            out, weights = self.one(x, x, x, key_padding_mask=hidden)
            other, _ = self.two(out.transpose(0, 1), k, v, need_weights=False)
            return other.square().mean() + weights.square().mean()

    def batch(index: int) -> tuple[Tensor, ...]:
        hidden = torch.arange(5) >= torch.tensor([[5], [3 + index % 2]])
        return torch.randn(2, 5, 6), torch.randn(3, 2, 4), torch.randn(3, 2, 5), hidden

    yield from train(make, Attends(), batch)


@script
def pieces_by_hsplit_and_tensor_split(make: Make) -> Iterator[Any]:
    class Pieces(Net):
        def forward(self, x: Tensor) -> Tensor:
            left, right = torch.hsplit(self.first(x), 2)
            one, two, three = torch.tensor_split(left * right.flip(1), 3, dim=1)
            upper, lower = torch.vsplit(x, [2])
            loss = (one * two - three).square().mean() + self.last(x).square().mean()
            return loss + self.last(torch.vstack([lower, upper])).abs().mean()

    yield from train(make, Pieces())


@script
def a_pool_over_all_of_the_picture(make: Make) -> Iterator[Any]:
    class Gate(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.gate = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            out = self.conv(x)
            gate = F.avg_pool2d(out, out.size(2))
            return (out * torch.sigmoid(self.gate(gate))).square().mean()

    yield from train(make, Gate(), lambda index: (torch.randn(2, 3, 8 + index % 2, 8 + index % 2),))


@script
def hooks_that_come_and_go(make: Make) -> Iterator[Any]:
    handles: list[Any] = []

    def between(model: Any, index: int) -> None:
        if index == 2:
            handles.append(model[0].register_forward_hook(lambda module, given, out: out * 2))
            handles.append(model[2].register_forward_pre_hook(lambda module, given: given[0] + 1))
        if index == 5:
            handles.pop().remove()

    yield from train(make, mlp(), kind=Squared, between=between)


@script
def a_hook_that_keeps_what_it_sees(make: Make) -> Iterator[Any]:
    kept: list[Tensor] = []
    model = mlp()
    model[0].register_forward_hook(lambda module, given, out: kept.append(out.detach()))
    yield from train(make, model, kind=Squared)
    yield kept


@script
def hooks_on_the_gradients_of_modules(make: Make) -> Iterator[Any]:
    model = mlp()
    model[2].register_full_backward_hook(lambda module, into, out: (into[0] * 0.5, *into[1:]))
    yield from train(make, model, kind=Squared)


@script
def a_layer_written_in_torchscript(make: Make) -> Iterator[Any]:
    model = nn.Sequential(torch.jit.script(nn.Linear(6, 8)), nn.Tanh(), nn.Linear(8, 3))
    yield from train(make, model, kind=Squared)


@script
def transforms_of_functions(make: Make) -> Iterator[Any]:
    class Mapped(Net):
        def forward(self, x: Tensor) -> Tensor:
            out = torch.func.vmap(self.first)(x)
            weights = dict(self.last.named_parameters())
            return torch.func.functional_call(self.last, weights, (out,)).square().mean()

    yield from train(make, Mapped())


@script
def sorted_chosen_and_scanned(make: Make) -> Iterator[Any]:
    class Sorts(Net):
        def forward(self, x: Tensor) -> Any:
            hidden = self.first(x)
            top, places = hidden.topk(3, dim=1)
            ordered = hidden.sort(dim=0, descending=True).values.cumsum(0)
            picked = x.gather(1, places).cummax(1).values
            loss = (top * picked).mean() + self.last(ordered).square().mean()
            return loss + hidden.kthvalue(2, 1).values.mean() + hidden.median(
                1
            ).values.mean(), places

    yield from train(make, Sorts())


@script
def linear_algebra(make: Make) -> Iterator[Any]:
    class Algebra(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x)
            gram = hidden.T @ hidden + torch.eye(6)
            solved = torch.linalg.solve(gram, hidden.T)
            return torch.logdet(gram) + solved.norm() + self.last(hidden).square().mean()

    yield from train(make, Algebra())


@script
def a_where_that_hides_nans(make: Make) -> Iterator[Any]:
    class Hides(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x)
            safe = torch.where(hidden > 0, hidden, torch.ones_like(hidden))
            return torch.where(hidden > 0, (safe + 0.1).log(), hidden).square().mean() + (
                self.last(hidden).square().mean()
            )

    yield from train(make, Hides())


@script
def losses_that_are_not_numbers(make: Make) -> Iterator[Any]:
    class Breaks(Net):
        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.first(x)).square().mean().sqrt() / x.abs().max()

    batch = lambda index: (rows() * (index != 3) * (float("inf") if index == 5 else 1),)  # noqa: E731
    yield from train(make, Breaks(), batch, steps=6)
