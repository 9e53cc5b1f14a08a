"""As Hugging Face models do: the loss is a field of what the model returns."""
from dataclasses import dataclass
from typing import Optional

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


@dataclass
class ModelOutput:
    loss: Optional[torch.Tensor] = None
    logits: torch.Tensor = None


class ForClassification(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = nn.Embedding(30, 8)
        self.classifier = nn.Linear(8, 2)

    def forward(self, input_ids, labels=None):
        logits = self.classifier(self.embeddings(input_ids).mean(1))
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        return ModelOutput(loss=loss, logits=logits)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, **batch):
        outputs = self.model(**batch)
        loss = outputs.loss
        return loss, outputs.logits.detach()


model = ForClassification()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
dataloader = [
    {"input_ids": torch.randint(0, 30, (4, 6)), "labels": torch.randint(0, 2, (4,))}
    for _ in range(3)
]

model_with_loss = ort_module(ModuleWithLoss, model)
for epoch in range(2):
    for batch in dataloader:
        loss, logits = model_with_loss(**batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        print(f"{loss.item():.5f}", logits.argmax(-1).tolist())
