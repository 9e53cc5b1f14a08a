"""What scripts load from the Hugging Face hub, made here: a tokenizer, small models, sentences."""

from __future__ import annotations

import random
import sys
from typing import Any

WORDS = [f"word{number}" for number in range(200)]
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
_SMALL = {
    "vocab_size": len(_SPECIAL) + len(WORDS),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}


class Tokenizer:
    """In place of `AutoTokenizer`."""

    @staticmethod
    def from_pretrained(*_: object, **__: object) -> Any:
        """One word is one token."""
        from tokenizers import Tokenizer as Words
        from tokenizers import models, pre_tokenizers
        from transformers import PreTrainedTokenizerFast

        known = {word: number for number, word in enumerate([*_SPECIAL, *WORDS])}
        words = Words(models.WordLevel(known, unk_token="[UNK]"))
        words.pre_tokenizer = pre_tokenizers.Whitespace()
        return PreTrainedTokenizerFast(
            tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]", eos_token="[SEP]"
        )


class Classifier:
    """In place of `AutoModelForSequenceClassification`."""

    @staticmethod
    def from_pretrained(*_: object, **__: object) -> Any:
        """A BERT with random weights."""
        from transformers import BertConfig, BertForSequenceClassification

        return BertForSequenceClassification(BertConfig(**_SMALL))


class LanguageModel:
    """In place of `AutoModelForCausalLM`."""

    @staticmethod
    def from_pretrained(*_: object, **__: object) -> Any:
        """A Llama with random weights."""
        from transformers import LlamaConfig, LlamaForCausalLM

        return LlamaForCausalLM(LlamaConfig(**_SMALL))


class Metric:
    """In place of what `evaluate.load` returns."""

    def __init__(self) -> None:
        self._right: list[bool] = []

    def add_batch(self, predictions: Any, references: Any) -> None:
        """Count the answers that are right."""
        self._right += (predictions == references).flatten().tolist()

    def compute(self, predictions: Any = None, references: Any = None) -> dict[str, float]:
        """Their share."""
        if predictions is not None:
            self.add_batch(predictions, references)
        right, self._right = self._right, []
        return {"accuracy": sum(right) / max(1, len(right))}


def _pairs_of_sentences(name: str = "", *_: object, **__: object) -> Any:
    """GLUE's paraphrases or, where a script asks for wikitext, lines of text."""
    from datasets import Dataset, DatasetDict

    made = random.Random(0)

    def sentence() -> str:
        return " ".join(made.choices(WORDS, k=made.randint(4, 12)))

    def part(number: int) -> Any:
        if "wikitext" in name:
            return Dataset.from_dict({"text": [sentence() for _ in range(4 * number)]})
        return Dataset.from_dict(
            {
                "sentence1": [sentence() for _ in range(number)],
                "sentence2": [sentence() for _ in range(number)],
                "label": [made.randint(0, 1) for _ in range(number)],
                "idx": list(range(number)),
            }
        )

    return DatasetDict({"train": part(160), "validation": part(32), "test": part(32)})


def in_place_of_transformers() -> None:
    """Its classes that download."""
    transformers: Any = sys.modules["transformers"]
    transformers.AutoTokenizer = Tokenizer
    transformers.AutoModelForSequenceClassification = Classifier
    transformers.AutoModelForCausalLM = LanguageModel


def in_place_of_datasets() -> None:
    """Its function that downloads."""
    datasets: Any = sys.modules["datasets"]
    datasets.load_dataset = _pairs_of_sentences


def in_place_of_evaluate() -> None:
    """Its function that downloads."""
    evaluate: Any = sys.modules["evaluate"]
    evaluate.load = lambda *_, **__: Metric()
    # It imports transformers, fails with a part that needs TensorFlow, and imports it anew.
    if "transformers" in sys.modules:
        in_place_of_transformers()
