"""Named changes to the C++ sources of ORTModule's extensions, made on a copy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


class PatchMismatch(RuntimeError):
    """A source file is not the one that a patch was written for."""


@dataclass(frozen=True)
class SourcePatch:
    """Replaces `old`, which must occur exactly `count` times, by `new` in one file.

    `file` is relative to `onnxruntime/training/ortmodule/torch_cpp_extensions`.
    """

    name: str
    file: str
    old: str
    new: str
    count: int = 1

    def apply_to(self, text: str) -> str:
        """The patched text.

        Raises:
            PatchMismatch: `old` occurs more or less often than it should.
        """
        found = text.count(self.old)
        if found != self.count:
            raise PatchMismatch(
                f"{self.file}: patch '{self.name}' expects {self.count} occurrence(s) of what it "
                f"replaces and finds {found}; this onnxruntime is not the one it was written for"
            )
        return text.replace(self.old, self.new)


def patch_files(root: Path, patches: Iterable[SourcePatch]) -> None:
    """Applies `patches`, in order, to the files under `root`, in place: give it a copy.

    Raises:
        PatchMismatch: see `SourcePatch.apply_to`; a file that is not there counts as well.
    """
    for patch in patches:
        path = root / patch.file
        if not path.is_file():
            raise PatchMismatch(f"{patch.file}: patch '{patch.name}' finds no such file")
        path.write_text(patch.apply_to(path.read_text(encoding="utf-8")), encoding="utf-8")
