"""Models of speech: CTC over a recurrent encoder, and a transducer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .model import Batch, Model, Update, batch_size

_LETTERS = 12


class DeepSpeech(nn.Module):
    """Convolutions over spectrograms, a bidirectional GRU, and letters for every frame."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, 4, 3, (2, 1), 1, bias=False),
            nn.BatchNorm2d(4),
            nn.Hardtanh(0, 20, inplace=True),
        )
        self.rnn = nn.GRU(4 * 8, width, bidirectional=True, batch_first=True)
        self.head = nn.Sequential(nn.LayerNorm(2 * width), nn.Linear(2 * width, _LETTERS))

    def forward(self, spectrograms: Tensor) -> Tensor:
        x = self.convolutions(spectrograms.unsqueeze(1))
        x = x.flatten(1, 2).transpose(1, 2)
        states, _ = self.rnn(x)
        return F.log_softmax(self.head(states), dim=-1)


class Transcribed(nn.Module):
    """CTC of what the model says of each frame."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.criterion = nn.CTCLoss(blank=0, zero_infinity=True)

    def forward(self, x: Tensor, letters: Tensor, frames: Tensor, lengths: Tensor) -> Tensor:
        said = self.model(x).transpose(0, 1)
        loss: Tensor = self.criterion(said, letters, frames, lengths)
        return loss


class Transducer(nn.Module):
    """An encoder, a predictor that reads the letters so far, and what joins the two."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.encoder = nn.LSTM(16, width, batch_first=True)
        self.embedding = nn.Embedding(_LETTERS, width)
        self.predictor = nn.GRU(width, width, batch_first=True)
        self.joint = nn.Linear(width, _LETTERS)

    def forward(self, spectrograms: Tensor, letters: Tensor) -> Tensor:
        heard, _ = self.encoder(spectrograms.transpose(1, 2))
        read, _ = self.predictor(self.embedding(F.pad(letters, (1, 0))))
        joined = torch.tanh(heard[:, :, None] + read[:, None])
        return F.log_softmax(self.joint(joined), dim=-1)


class Aligned(nn.Module):
    """Graves' loss of a transducer: the chance of the letters, over all ways to align them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, letters: Tensor, frames: Tensor, lengths: Tensor) -> Tensor:
        said = self.model(x, letters)
        blank = said[..., 0]
        label = said[:, :, :-1].gather(3, letters[:, None, :, None].expand(-1, x.shape[2], -1, 1))
        alpha = _alignments(blank, label.squeeze(3))
        row = torch.arange(x.shape[0])
        last: Tensor = alpha[row, frames - 1, lengths] + blank[row, frames - 1, lengths]
        return -last.mean()


def _alignments(blank: Tensor, label: Tensor) -> Tensor:
    """For each frame and number of letters, the log of the chance to have come there."""
    frames, places = blank.shape[1], blank.shape[2]
    rows: list[Tensor] = []
    for frame in range(frames):
        row: list[Tensor] = []
        for place in range(places):
            ways = []
            if frame:
                ways.append(rows[-1][:, place] + blank[:, frame - 1, place])
            if place:
                ways.append(row[-1] + label[:, frame, place - 1])
            row.append(
                torch.logaddexp(*ways)
                if len(ways) == 2
                else (ways[0] if ways else torch.zeros_like(blank[:, 0, 0]))
            )
        rows.append(torch.stack(row, dim=1))
    return torch.stack(rows, dim=1)


class Recordings:
    """Noise, and letters for it, of different lengths."""

    def __init__(self, frames: int, most: int) -> None:
        self._frames, self._most = frames, most

    def __call__(self, step: int) -> Batch:
        count = batch_size(step)
        letters = torch.randint(1, _LETTERS, (count, self._most))
        frames = torch.randint(self._frames - 2, self._frames + 1, (count,))
        lengths = torch.randint(1, self._most + 1, (count,))
        return torch.randn(count, 16, self._frames), letters, frames, lengths


MODELS = (
    Model("CTC over a GRU", DeepSpeech, Recordings(14, 5), (Update(Transcribed),)),
    Model("transducer", Transducer, Recordings(6, 3), (Update(Aligned),)),
)
