"""Terms are added to zeros that are made on the device of the step."""
import torch
from torch import nn

model = nn.Sequential(nn.Linear(4, 8), nn.Tanh())
heads = nn.ModuleList(nn.Linear(8, 3) for _ in range(2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD([*model.parameters(), *heads.parameters()], lr=0.1)


def train(loader, device):
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        features = model(x)
        loss = torch.zeros(1, device=device)
        for head in heads:
            loss += criterion(head(features), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    loader = [(torch.randn(6, 4), torch.randint(3, (6,))) for _ in range(4)]
    train(loader, torch.device("cpu"))
