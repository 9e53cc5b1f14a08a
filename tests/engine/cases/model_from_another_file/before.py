import torch
import torch.optim as optim
from nets import build_criterion, create_model

torch.manual_seed(0)
model = create_model(width=5)
criterion = build_criterion()
optimizer = optim.SGD(model.parameters(), lr=0.1)
loader = [(torch.randn(4, 5), torch.randint(0, 2, (4,))) for _ in range(3)]

for batch, target in loader:
    prediction = model(batch)
    loss = criterion(prediction, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
