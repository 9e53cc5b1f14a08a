"""What code reads, changes, draws and raises, where gradients flow, and what is read later."""
