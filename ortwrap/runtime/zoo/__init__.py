"""Models as people train them, from random weights: a table, and its command.

python -m ortwrap.runtime.zoo                        # every model, both ways
python -m ortwrap.runtime.zoo --only BERT
python -m ortwrap.runtime.zoo --write docs/models.md
"""
