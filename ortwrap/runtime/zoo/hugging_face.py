"""Models of Hugging Face's transformers, tiny ones made from a config; none without the package."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any, Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .model import Batch, Model, Update, batch_size

WORDS = 64
_WIDTHS = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
_COMMON = {**_WIDTHS, "vocab_size": WORDS, "intermediate_size": 48, "max_position_embeddings": 64}
_NO_SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


class Inside(nn.Module):
    """The model works out its loss itself."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, mask: Tensor, labels: Tensor) -> Any:
        return self.model(input_ids=tokens, attention_mask=mask, labels=labels).loss


class Unpadded(nn.Module):
    """The model is given no mask, and works out its loss itself."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, labels: Tensor) -> Any:
        return self.model(input_ids=tokens, labels=labels).loss


class Outside(nn.Module):
    """The loss is worked out of the model's logits."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, tokens: Tensor, mask: Tensor, labels: Tensor) -> Any:
        logits = self.model(input_ids=tokens, attention_mask=mask).logits
        return self.criterion(logits.view(-1, logits.size(-1)), labels.view(-1))


class OutsideShifted(Outside):
    """Each token is told from those before it."""

    def forward(self, tokens: Tensor, mask: Tensor, labels: Tensor) -> Any:
        logits = self.model(input_ids=tokens, attention_mask=mask).logits[:, :-1]
        return self.criterion(logits.reshape(-1, logits.size(-1)), labels[:, 1:].reshape(-1))


class OfPictures(nn.Module):
    """The model works out its loss of pictures itself."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor, labels: Tensor) -> Any:
        return self.model(pixel_values=pixels, labels=labels).loss


class OfPicturesOutside(nn.Module):
    """The loss is worked out of the logits."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor, labels: Tensor) -> Any:
        return F.cross_entropy(self.model(pixel_values=pixels).logits, labels)


class Distilled(nn.Module):
    """A student learns from the labels and from a teacher that is not trained."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.student, self.teacher = model["student"], model["teacher"]

    def forward(self, tokens: Tensor, mask: Tensor, labels: Tensor) -> Any:
        told = self.student(input_ids=tokens, attention_mask=mask, labels=labels)
        with torch.no_grad():
            wanted = self.teacher(input_ids=tokens, attention_mask=mask).logits
        softened = F.log_softmax(told.logits / 2, dim=-1)
        return told.loss + F.kl_div(softened, F.softmax(wanted / 2, dim=-1), reduction="batchmean")


def _made(name: str, config: str, **options: Any) -> Callable[[], nn.Module]:
    """Makes the class `name` of transformers from a config of the class `config`."""

    def make() -> nn.Module:
        import transformers

        made = getattr(transformers, config)(**options)
        model: nn.Module = getattr(transformers, name)(made)
        # Loaded models begin to train in this mode; made ones begin in another.
        return model.train()

    return make


def _without_fused_attention(make: Callable[[], Any]) -> Callable[[], nn.Module]:
    """Attention by products and a softmax, what transformers calls eager."""

    def made() -> nn.Module:
        model: Any = make()
        model.set_attn_implementation("eager")
        return model  # type: ignore[no-any-return]

    return made


def _pair() -> nn.Module:
    make = _made("DistilBertForMaskedLM", "DistilBertConfig", **_DISTILBERT)
    return nn.ModuleDict({"student": make(), "teacher": make().requires_grad_(False).eval()})


_DISTILBERT = {
    "dim": 32,
    "n_layers": 2,
    "n_heads": 4,
    "hidden_dim": 48,
    "vocab_size": WORDS,
    "max_position_embeddings": 64,
}


def _tokens(density: float) -> Callable[[int], Batch]:
    """Padded sentences and labels, of which a share counts."""

    def batch(step: int) -> Batch:
        shape = (batch_size(step), 9 + step % 3)
        tokens = torch.randint(3, WORDS, shape)
        mask = torch.ones(shape, dtype=torch.long)
        mask[0, -2:] = mask[1, -1:] = 0
        tokens = tokens.masked_fill(mask == 0, 0)
        labels = tokens.clone()
        ignored = torch.rand(shape) >= density
        # At least two labels count.
        ignored[0, 1] = ignored[1, 2] = False
        labels[ignored | (mask == 0)] = -100
        return tokens, mask, labels

    return batch


def _unpadded(density: float) -> Callable[[int], Batch]:
    """Sentences without a mask, and labels."""

    def batch(step: int) -> Batch:
        tokens, _, labels = _tokens(density)(step)
        return tokens.clamp(min=3), labels

    return batch


def _whole_sentences(step: int) -> Batch:
    tokens, mask, _ = _tokens(1.0)(step)
    return tokens, mask, torch.randint(0, 5, (tokens.shape[0],))


def _pixels(step: int) -> Batch:
    count = batch_size(step)
    return torch.randn(count, 3, 32, 32), torch.randint(0, 5, (count,))


_MASKED = {
    "BERT": _made("BertForMaskedLM", "BertConfig", **_COMMON),
    "RoBERTa": _made("RobertaForMaskedLM", "RobertaConfig", **_COMMON),
    "DistilBERT": _made("DistilBertForMaskedLM", "DistilBertConfig", **_DISTILBERT),
    "ALBERT": _made("AlbertForMaskedLM", "AlbertConfig", embedding_size=16, **_COMMON),
    "ELECTRA": _made("ElectraForMaskedLM", "ElectraConfig", embedding_size=16, **_COMMON),
    "ModernBERT": _made(
        "ModernBertForMaskedLM", "ModernBertConfig", **{**_COMMON, **_NO_SPECIAL}, local_attention=4
    ),
}
_CAUSAL = {
    "GPT-2": _made(
        "GPT2LMHeadModel",
        "GPT2Config",
        vocab_size=WORDS,
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_positions=64,
    ),
    "OPT": _made("OPTForCausalLM", "OPTConfig", ffn_dim=48, word_embed_proj_dim=32, **_COMMON),
    "GPT-NeoX": _made("GPTNeoXForCausalLM", "GPTNeoXConfig", **_COMMON),
    "Llama": _made("LlamaForCausalLM", "LlamaConfig", num_key_value_heads=2, **_COMMON),
    "Mistral": _made("MistralForCausalLM", "MistralConfig", num_key_value_heads=2, **_COMMON),
    "Qwen2": _made("Qwen2ForCausalLM", "Qwen2Config", num_key_value_heads=2, **_COMMON),
    "Qwen3": _made("Qwen3ForCausalLM", "Qwen3Config", num_key_value_heads=2, head_dim=8, **_COMMON),
    "Gemma": _made("GemmaForCausalLM", "GemmaConfig", num_key_value_heads=2, head_dim=8, **_COMMON),
    "Phi": _made("PhiForCausalLM", "PhiConfig", **_COMMON),
}
_ENCODER_DECODER = {
    "T5": _made(
        "T5ForConditionalGeneration",
        "T5Config",
        vocab_size=WORDS,
        d_model=32,
        d_kv=8,
        d_ff=48,
        num_layers=2,
        num_heads=4,
        decoder_start_token_id=0,
    ),
    "BART": _made(
        "BartForConditionalGeneration",
        "BartConfig",
        vocab_size=WORDS,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=48,
        decoder_ffn_dim=48,
        max_position_embeddings=64,
        decoder_start_token_id=2,
        **_NO_SPECIAL,
    ),
}
_IN_OTHER_FORMS = {"BERT", "RoBERTa", "DistilBERT", "GPT-2", "OPT", "Llama", "T5"}
_PICTURES = {
    "ViT": _made(
        "ViTForImageClassification",
        "ViTConfig",
        image_size=32,
        patch_size=8,
        intermediate_size=48,
        num_labels=5,
        **_WIDTHS,
    ),
    "DeiT": _made(
        "DeiTForImageClassification",
        "DeiTConfig",
        image_size=32,
        patch_size=8,
        intermediate_size=48,
        num_labels=5,
        **_WIDTHS,
    ),
    "Swin": _made(
        "SwinForImageClassification",
        "SwinConfig",
        image_size=32,
        patch_size=4,
        embed_dim=16,
        depths=[1, 2],
        num_heads=[2, 4],
        window_size=4,
        num_labels=5,
    ),
    "ConvNeXt": _made(
        "ConvNextForImageClassification",
        "ConvNextConfig",
        hidden_sizes=[8, 16],
        depths=[1, 1],
        num_stages=2,
        num_labels=5,
    ),
    "ResNet": _made(
        "ResNetForImageClassification",
        "ResNetConfig",
        embedding_size=8,
        hidden_sizes=[16, 32],
        depths=[1, 1],
        num_labels=5,
    ),
}
_CLASSIFIERS = {
    "BERT, classified": _made(
        "BertForSequenceClassification", "BertConfig", num_labels=5, **_COMMON
    ),
    "DistilBERT, classified": _made(
        "DistilBertForSequenceClassification", "DistilBertConfig", num_labels=5, **_DISTILBERT
    ),
}


def _models() -> Iterator[Model]:
    for name, make in _MASKED.items():
        yield Model(name, make, _tokens(0.3), (Update(Inside),))
        yield Model(f"{name}, loss outside", make, _tokens(0.3), (Update(Outside),))
    for name, make in _CAUSAL.items():
        yield Model(name, make, _tokens(1.0), (Update(Inside),))
        yield Model(f"{name}, loss outside", make, _tokens(1.0), (Update(OutsideShifted),))
    for name, make in _ENCODER_DECODER.items():
        yield Model(name, make, _tokens(1.0), (Update(Inside),))
    for models, density in ((_MASKED, 0.3), (_CAUSAL, 1.0), (_ENCODER_DECODER, 1.0)):
        for name in sorted(_IN_OTHER_FORMS & models.keys()):
            yield from _in_other_forms(name, models[name], density)
    for name, make in _CLASSIFIERS.items():
        yield Model(name, make, _whole_sentences, (Update(Inside),))
    for name, make in _PICTURES.items():
        yield Model(f"{name} of pictures", make, _pixels, (Update(OfPictures),))
        yield Model(
            f"{name} of pictures, loss outside", make, _pixels, (Update(OfPicturesOutside),)
        )
    yield Model(
        "DistilBERT from a teacher", _pair, _tokens(0.3), (Update(Distilled, of="student"),)
    )


def _in_other_forms(name: str, make: Callable[[], nn.Module], density: float) -> Iterator[Model]:
    yield Model(f"{name}, not padded", make, _unpadded(density), (Update(Unpadded),))
    eager = _without_fused_attention(make)
    yield Model(f"{name}, eager attention", eager, _tokens(density), (Update(Inside),))


_IS_INSTALLED = importlib.util.find_spec("transformers") is not None
MODELS = tuple(_models()) if _IS_INSTALLED else ()
