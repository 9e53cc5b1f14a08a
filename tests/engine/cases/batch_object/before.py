import torch
from torch import nn

torch.manual_seed(0)


class Batch:
    """What a collate function makes"""

    def __init__(self, src, trg):
        self.src, self.trg = src, trg
        self.ntokens = int((trg != 0).sum())


model = nn.Sequential(nn.Embedding(11, 6), nn.Linear(6, 11))
criterion = nn.CrossEntropyLoss(ignore_index=0, reduction="sum")
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for _ in range(3):
    batch = Batch(torch.randint(1, 11, (2, 5)), torch.randint(0, 11, (2, 5)))
    out = model(batch.src)
    loss = criterion(out.reshape(-1, out.size(-1)), batch.trg.reshape(-1)) / batch.ntokens
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f} {batch.ntokens}")
