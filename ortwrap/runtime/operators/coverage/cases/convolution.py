"""Convolutions."""

from __future__ import annotations

from torch import nn

from ..case import layers

CASES = (
    *layers(
        {
            "Conv2d": lambda: nn.Conv2d(4, 6, 3, stride=2, padding=1),
            "Conv2d(groups=4)": lambda: nn.Conv2d(4, 8, 3, groups=4),
            "Conv2d(padding='same')": lambda: nn.Conv2d(4, 5, 4, padding="same"),
            "Conv2d(padding='same', dilation=2)": lambda: nn.Conv2d(
                4, 5, 3, padding="same", dilation=2
            ),
            "Conv2d(padding_mode='circular')": lambda: nn.Conv2d(
                4, 5, 3, padding=1, padding_mode="circular"
            ),
            "Conv2d(padding_mode='reflect')": lambda: nn.Conv2d(
                4, 5, 3, padding=1, padding_mode="reflect"
            ),
            "ConvTranspose2d": lambda: nn.ConvTranspose2d(
                4, 5, 3, stride=2, padding=1, output_padding=1
            ),
            "ConvTranspose2d(groups=2, bias=False)": lambda: nn.ConvTranspose2d(
                4, 6, 3, groups=2, bias=False
            ),
            "Unfold": lambda: nn.Unfold(3),
            "PixelShuffle": lambda: nn.PixelShuffle(2),
            "PixelUnshuffle": lambda: nn.PixelUnshuffle(2),
            "ReflectionPad2d": lambda: nn.ReflectionPad2d(2),
            "ReplicationPad2d": lambda: nn.ReplicationPad2d(2),
            "ZeroPad2d": lambda: nn.ZeroPad2d((1, 2, 0, 1)),
            "ChannelShuffle": lambda: nn.ChannelShuffle(2),
        },
        (2, 4, 8, 8),
    ),
    *layers(
        {
            "Conv1d": lambda: nn.Conv1d(4, 6, 3, padding=1),
            "Conv1d(padding='same', dilation=2, groups=2)": lambda: nn.Conv1d(
                4, 6, 3, padding="same", dilation=2, groups=2
            ),
            "ConvTranspose1d": lambda: nn.ConvTranspose1d(4, 5, 3, 2),
        },
        (2, 4, 9),
    ),
    *layers(
        {
            "Conv3d": lambda: nn.Conv3d(2, 3, 2),
            "ConvTranspose3d": lambda: nn.ConvTranspose3d(2, 3, 3),
        },
        (2, 2, 4, 4, 4),
    ),
    *layers({"Fold": lambda: nn.Fold((5, 5), 2)}, (2, 8, 16)),
)
