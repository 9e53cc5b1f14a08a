import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(7, 3)
loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for X, y in [(torch.randn(5, 7), torch.randint(0, 3, (5,))) for _ in range(4)]:
    pred = model(X)
    optimizer.zero_grad()
    loss = loss_fn(pred, y)
    loss.backward()
    optimizer.step()

    # after the update
    print(f"loss: {loss.item():>7f}  top: {pred.max().item():.5f}")
