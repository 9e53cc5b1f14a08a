"""Measurements against the closest public tools, side by side in one run."""
