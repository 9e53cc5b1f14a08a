"""Pictures that torchvision would download, in a module so that they can be sent to workers."""

from __future__ import annotations

import os

import torch


class Pictures(torch.utils.data.Dataset):
    """A few random pictures with random labels, under the names that torchvision's sets have."""

    shape: tuple[int, ...] = (28, 28)
    mode = "L"
    number = int(os.environ.get("PICTURES", "256"))

    def __init__(self, root="", train=True, transform=None, target_transform=None, **_) -> None:
        made = torch.Generator().manual_seed(0)
        shape = (self.number, *self.shape)
        self.data = torch.randint(0, 256, shape, generator=made, dtype=torch.uint8)
        self.targets = torch.randint(0, 10, (self.number,), generator=made)
        self.train_data = self.test_data = self.data
        self.train_labels = self.test_labels = self.targets
        self.transform = transform

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, index):
        from PIL import Image

        picture = Image.fromarray(self.data[index].numpy(), self.mode)
        if self.transform is not None:
            picture = self.transform(picture)
        return picture, int(self.targets[index])


class ColouredPictures(Pictures):
    """The same in colours."""

    shape = (32, 32, 3)
    mode = "RGB"
