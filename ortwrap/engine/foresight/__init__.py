"""What keeps a rewritten step off ONNX Runtime, as far as the sources tell it beforehand.

The runtime finds out at the first call and trains such a step eagerly, with a warning. Whoever
reviews a diff wants to know before: what forward does stands in the project's files.
"""
