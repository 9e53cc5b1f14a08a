import copy
import io

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
ema = copy.deepcopy(model)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
checkpoint = io.BytesIO()

for epoch in range(2):
    for x, y in [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(2)]:
        logits = model(x)
        loss = criterion(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for kept, new in zip(ema.parameters(), model.parameters()):
                kept.lerp_(new, 0.1)
    checkpoint.seek(0)
    torch.save({"epoch": epoch, "model": model.state_dict(), "loss": loss}, checkpoint)

checkpoint.seek(0)
state = torch.load(checkpoint, weights_only=False)
assert list(state["model"]) == ["0.weight", "0.bias", "2.weight", "2.bias"]
assert isinstance(model, nn.Sequential)
print(state["epoch"], f"{state['loss'].item():.5f} {ema[0].weight.norm().item():.5f}")
