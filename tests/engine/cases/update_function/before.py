"""As ignite has it: a step function made by another."""
import torch
from torch import nn

torch.manual_seed(0)


def create_trainer(model, optimizer, loss_fn):
    def update(engine, batch):
        model.train()
        optimizer.zero_grad()
        x, y = batch
        y_pred = model(x)
        loss = loss_fn(y_pred, y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return update


net = nn.Linear(4, 2)
trainer = create_trainer(net, torch.optim.SGD(net.parameters(), lr=0.1), nn.CrossEntropyLoss())
for batch in [(torch.randn(4, 4), torch.randint(0, 2, (4,))) for _ in range(3)]:
    print(f"{trainer(None, batch):.5f}")
