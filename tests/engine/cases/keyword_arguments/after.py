import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(30, 8)
        self.out = nn.Linear(8, 4)

    def forward(self, input_ids, attention_mask=None, scale=1.0):
        hidden = self.embed(input_ids) * scale
        if attention_mask is not None:
            hidden = hidden * attention_mask.unsqueeze(-1)
        return self.out(hidden.mean(dim=1))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, loss_fn):
        super().__init__()
        self.model = model
        self.loss_fn = loss_fn

    def compute_loss(self, logits, labels):
        return self.loss_fn(logits, labels)

    def forward(self, input_ids, attention_mask, labels):
        logits = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,  # padding
        )
        return self.compute_loss(logits, labels)


model = Tagger()
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
batches = [
    {
        "input_ids": torch.randint(0, 30, (4, 7)),
        "attention_mask": torch.ones(4, 7),
        "labels": torch.randint(0, 4, (4,)),
    }
    for _ in range(3)
]

model_with_loss = ort_module(ModuleWithLoss, model, loss_fn)
for batch in batches:
    optimizer.zero_grad()
    loss = model_with_loss(batch["input_ids"], batch["attention_mask"], batch["labels"])
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
