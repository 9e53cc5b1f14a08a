"""Helpers whose statements take the place of a call, so that each of them can move by itself.

A loss function that reads a length off the batch by `.item()`, or computes a weight with NumPy from
the number of the step, cannot be called from forward, which would replay both. Written out in the
step, such a statement stays outside as any other over inputs does, and the rest moves.
"""
