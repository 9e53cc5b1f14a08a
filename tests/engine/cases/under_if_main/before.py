import torch
from torch import nn

if __name__ == "__main__":
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    loss_func = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(8, 4)
    y = x.sum(dim=1, keepdim=True)
    for t in range(3):
        prediction = model(x)
        loss = loss_func(prediction, y)  # prediction first, then target
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")
