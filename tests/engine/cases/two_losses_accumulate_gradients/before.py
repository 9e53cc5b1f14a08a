"""Two forwards, two backwards, one update"""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
model = nn.Linear(5, 4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for labeled, target, unlabeled in [
    (torch.randn(4, 5), torch.randint(0, 4, (4,)), torch.randn(6, 5)) for _ in range(3)
]:
    optimizer.zero_grad()
    supervised_loss = F.cross_entropy(model(labeled), target)
    supervised_loss.backward()
    # entropy of the guesses
    probabilities = torch.softmax(model(unlabeled), dim=1)
    entropy_loss = -(probabilities * probabilities.log()).sum(1).mean()
    entropy_loss.backward()
    optimizer.step()
    print(f"{supervised_loss.item():.5f} {entropy_loss.item():.5f}")
