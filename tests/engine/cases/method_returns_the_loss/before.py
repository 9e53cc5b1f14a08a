import torch
import torch.nn as nn

torch.manual_seed(0)


class Recommender(nn.Module):
    def __init__(self):
        super().__init__()
        self.user, self.item = nn.Embedding(7, 4), nn.Embedding(9, 4)

    def forward(self, u, i):
        return (self.user(u) * self.item(i)).sum(-1)

    def loss(self, u, pos, neg):
        return nn.functional.softplus(self(u, neg) - self(u, pos)).mean()


model = Recommender()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)

for _ in range(3):
    u, pos, neg = torch.randint(0, 7, (6,)), torch.randint(0, 9, (6,)), torch.randint(0, 9, (6,))
    loss = model.loss(u, pos, neg)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
