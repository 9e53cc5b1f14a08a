import torch
import torch.nn as nn

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

for batch in batches:
    optimizer.zero_grad()
    logits = model(
        input_ids=batch["input_ids"],
        attention_mask=batch["attention_mask"],  # padding
    )
    loss = loss_fn(logits, batch["labels"])
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
