"""No DataLoader: slices of the tensors, by numbers that change from step to step."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X_train, y_train = torch.randn(24, 5), torch.randint(0, 3, (24,))
batch_size = 6
model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(2):
    for i in range(0, X_train.size(0), batch_size):
        outputs = model(X_train[i:i + batch_size])
        loss = F.cross_entropy(outputs, y_train[i:i + batch_size])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, f"{loss.item():.5f}")
