import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
accumulation_steps = 2
batches = [(torch.randn(4, 5), torch.randint(0, 2, (4,))) for _ in range(6)]

for i, (inputs, labels) in enumerate(batches):
    predictions = model(inputs)
    loss = criterion(predictions, labels)
    loss = loss / accumulation_steps  # normalise
    loss.backward()
    if (i + 1) % accumulation_steps == 0:
        optimizer.step()
        optimizer.zero_grad()
        print(i, f"{loss.item():.5f}")
