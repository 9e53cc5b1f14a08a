from .base import DigitModel

__all__ = ["DigitModel"]
