import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
model = nn.Linear(8, 4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu", enabled=False)

for x, y in [(torch.randn(6, 8), torch.randint(0, 4, (6,))) for _ in range(3)]:
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=False):
        logits = model(x)
    # the loss in full precision
    loss = F.cross_entropy(logits.float(), y)
    optimizer.zero_grad(set_to_none=True)
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    print(f"{loss.item():.5f}")
