import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
device = "cpu"


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(20, 6), nn.Linear(6, 2)

    def forward(self, input_ids, attention_mask, labels=None):
        hidden = self.embed(input_ids) * attention_mask.unsqueeze(-1)
        logits = self.head(hidden.mean(1))
        return (nn.functional.cross_entropy(logits, labels), logits)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, **batch):
        outputs = self.model(**batch)
        return outputs[0]


model = Encoder().to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 ** step)
loader = [
    {
        "input_ids": torch.randint(0, 20, (3, 5)),
        "attention_mask": torch.ones(3, 5),
        "labels": torch.randint(0, 2, (3,)),
    }
    for _ in range(3)
]

model_with_loss = ort_module(ModuleWithLoss, model)
for step, batch in enumerate(loader):
    batch = {k: v.to(device) for k, v in batch.items()}
    loss = model_with_loss(**batch)
    loss.backward()
    optimizer.step()
    scheduler.step()
    optimizer.zero_grad()
    print(step, f"{loss.item():.5f}")
