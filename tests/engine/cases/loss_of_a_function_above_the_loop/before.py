import torch
import torch.nn.functional as F
from torch import nn


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(5, 8)
        self.near, self.far = nn.Linear(8, 2), nn.Linear(8, 2)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.near(h), self.far(h)


def fit(model, batches, epochs):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    smooth = 0.1

    def error(prediction):
        distance = (prediction - target).abs()
        return torch.where(mask, distance, distance * smooth).mean()

    for epoch in range(epochs):
        for x, target, mask in batches:
            near, far = model(x)
            loss = error(near) + 0.5 * error(far) + F.mse_loss(near, far)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}: {loss.item():.4f}")


torch.manual_seed(0)
batches = [(torch.randn(6, 5), torch.randn(6, 2), torch.rand(6, 2) > 0.3) for _ in range(3)]
fit(Heads(), batches, 2)
