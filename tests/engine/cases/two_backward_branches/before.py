import torch
from torch import nn

torch.manual_seed(0)
fp16 = False
scaler = torch.amp.GradScaler("cpu", enabled=fp16)
model = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for image, target in [(torch.randn(5, 6), torch.randint(0, 3, (5,))) for _ in range(3)]:
    output = model(image)
    loss = criterion(output, target)
    optimizer.zero_grad()
    if fp16:
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    else:
        loss.backward()
        # full precision: clip as we always did
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
    print(f"{loss.item():.5f}")
