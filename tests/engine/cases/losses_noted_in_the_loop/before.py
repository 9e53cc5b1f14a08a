import torch
from torch import nn, optim

torch.manual_seed(0)

decoder = nn.GRUCell(3, 4)
out = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD([*decoder.parameters(), *out.parameters()], lr=0.1)


def train(sequence, target, hidden):
    optimizer.zero_grad()
    loss = 0
    losses, count = [], 0
    for i in range(3):
        hidden = decoder(sequence[i], hidden)
        step_loss = criterion(out(hidden), target[i])
        loss = loss + step_loss
        losses.append(step_loss.item() * 2)
        count += 2
    loss.backward()
    optimizer.step()
    return sum(losses) / count


for _ in range(4):
    sequence, target = torch.randn(3, 2, 3), torch.randint(0, 3, (3, 2))
    print("%.3f" % train(sequence, target, torch.zeros(2, 4)))
