import torch
from torch import nn

torch.manual_seed(0)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        features = torch.tanh(self.body(x))
        return self.head(features), features


model = Classifier()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loader = [(torch.randn(8, 6), torch.randint(0, 3, (8,))) for _ in range(3)]

for epoch in range(2):
    for images, labels in loader:
        # Only the logits are needed here, the features are for plotting.
        logits, _ = model(images)
        loss = criterion(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, f"{loss.item():.5f}")
