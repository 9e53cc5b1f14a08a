import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
accum_iter = 2

for data_iter_step, (samples, targets) in enumerate(
    [(torch.randn(4, 4), torch.randint(0, 3, (4,))) for _ in range(4)]
):
    outputs = model(samples)
    loss = criterion(outputs, targets)
    loss_value = loss.item()
    loss /= accum_iter
    loss.backward()
    if (data_iter_step + 1) % accum_iter == 0:
        optimizer.step()
        optimizer.zero_grad()
    print(f"{loss_value:.5f} {loss.item():.5f}")
