"""What forward takes, holds and returns: captured inputs, parts, carried outputs."""
