"""The loss is outside of the graph so far; evaluation goes on as it was."""
import torch
import torch.nn as nn
from onnxruntime.training.ortmodule import ORTModule

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
model = ORTModule(model)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for inputs, labels in [(torch.randn(6, 4), torch.randint(0, 3, (6,))) for _ in range(4)]:
    model.train()
    optimizer.zero_grad()
    outputs = model(inputs)
    loss = criterion(outputs, labels)
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.4f}")

    model.eval()
    with torch.no_grad():
        print(f"{criterion(model(inputs), labels).item():.4f}")

print(sorted(model.state_dict()))
