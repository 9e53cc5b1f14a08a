import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
train_set = [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(2)]
valid_set = [(torch.randn(5, 4), torch.randint(0, 2, (5,)))]

for epoch in range(2):
    for phase, dataset in (("train", train_set), ("valid", valid_set)):
        if phase == "train":
            model.train()
            for inputs, labels in dataset:
                outputs = model(inputs)
                loss = criterion(outputs, labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        else:
            model.eval()
            with torch.no_grad():
                for inputs, labels in dataset:
                    outputs = model(inputs)
                    loss = criterion(outputs, labels)
        print(phase, f"{loss.item():.5f}", outputs.argmax(1).tolist())
