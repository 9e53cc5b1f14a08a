"""Which layers and losses train on ONNX Runtime as eager trains them: a table, and its command.

python -m ortwrap.runtime.operators.coverage                     # every case, both ways
python -m ortwrap.runtime.operators.coverage --only losses
python -m ortwrap.runtime.operators.coverage --write docs/operators.md
"""
