"""Recurrent layers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..case import Batch, Case, layers, noise


class Packed(nn.Module):
    """A recurrent layer over sequences of different lengths."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        outputs, state = self.layer(packed)
        padded, _ = pad_packed_sequence(outputs, batch_first=True)
        last = state[0] if isinstance(state, tuple) else state
        loss: Tensor = (padded * padded).mean() + last.mean()
        return loss


class LastState(nn.Module):
    """What a tagger of whole sequences takes of a bidirectional LSTM: the last two states."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 5, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        _, (hidden, _) = self.lstm(x)
        y = torch.cat([hidden[-2], hidden[-1]], 1)
        return (y * y + y).mean()


class FromZeros(nn.Module):
    """A recurrent classifier whose two states start as equal zeros, made in forward."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 5, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(10, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.zeros(4, x.size(0), 5).to(x)
        cell = torch.zeros(4, x.size(0), 5).to(x)
        out, _ = self.lstm(x, (hidden, cell))
        y: Tensor = self.head(out[:, -1, :])
        return (y * y + y).mean()


class CellsInALoop(nn.Module):
    """Two LSTMCells, one step of the sequence at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.LSTMCell(1, 5), nn.LSTMCell(5, 5)
        self.head = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = second = (torch.zeros(x.size(0), 5).to(x), torch.zeros(x.size(0), 5).to(x))
        outputs = []
        for value in x.chunk(6, dim=1):
            first = self.one(value, first)
            second = self.two(first[0], second)
            outputs += [self.head(second[0])]
        return F.mse_loss(torch.cat(outputs, dim=1), x)


def _sequences(step: int) -> Batch:
    return torch.randn(3, 6, 4), torch.tensor([4, 6, 2])


CASES = (
    Case("LSTM from zeros", FromZeros, noise(3, 6, 4)),
    Case("LSTMCells in a loop", CellsInALoop, noise(3, 6)),
    *layers(
        {
            "LSTM": lambda: nn.LSTM(4, 5, batch_first=True),
            "LSTM(bidirectional)": lambda: nn.LSTM(4, 5, 2, bidirectional=True, batch_first=True),
            "LSTM(proj_size)": lambda: nn.LSTM(4, 5, proj_size=3),
            "LSTM(dropout)": lambda: nn.LSTM(4, 5, 2, dropout=0.3),
            "GRU": lambda: nn.GRU(4, 5, batch_first=True),
            "GRU(bidirectional)": lambda: nn.GRU(4, 5, bidirectional=True),
            "RNN": lambda: nn.RNN(4, 5, batch_first=True),
            "RNN(relu, bidirectional)": lambda: nn.RNN(
                4, 5, 2, nonlinearity="relu", bidirectional=True
            ),
        },
        (3, 6, 4),
    ),
    *layers({"LSTMCell": lambda: nn.LSTMCell(4, 5), "GRUCell": lambda: nn.GRUCell(4, 5)}, (3, 4)),
    Case("LSTM, last state only", LastState, noise(3, 2, 4)),
    Case("LSTM, packed", lambda: Packed(nn.LSTM(4, 5, batch_first=True)), _sequences),
    Case(
        "LSTM(bidirectional), packed",
        lambda: Packed(nn.LSTM(4, 5, batch_first=True, bidirectional=True)),
        _sequences,
    ),
    Case(
        "GRU(bidirectional), packed",
        lambda: Packed(nn.GRU(4, 5, batch_first=True, bidirectional=True)),
        _sequences,
    ),
)
