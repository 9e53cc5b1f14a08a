import torch
import torch.nn as nn

torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
model = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3)).to(device)
criterion = nn.CrossEntropyLoss().to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
dataset = [{"image": torch.randn(4, 3, 4), "label": torch.randint(0, 3, (4, 1))} for _ in range(3)]

model.train()
for sample in dataset:
    optimizer.zero_grad()
    output = model(sample["image"].to(device).view(-1, 12))
    loss = criterion(output, sample["label"].to(device).squeeze(1).long())
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
