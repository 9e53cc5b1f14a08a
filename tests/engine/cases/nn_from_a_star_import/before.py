"""`torch`, `nn` and `F` come with everything of another file, and `nn` is a count elsewhere."""
from star_imports import *

torch.manual_seed(0)


def count_parameters(net):
    total = 0
    for parameter in net.parameters():
        nn = 1
        for size in parameter.shape:
            nn = nn * size
        total += nn
    return total


model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
device = torch.device("cpu")
print(count_parameters(model))
model.train()
for _ in range(3):
    x, y = torch.randn(5, 4), torch.randint(0, 3, (5,))
    logits = model(x.to(device))
    loss = F.cross_entropy(logits, y.to(device))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
