"""Runs a training script and its patched twin side by side, and says whether they are the same."""
