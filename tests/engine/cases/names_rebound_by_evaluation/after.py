import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, outputs, labels):
        return self.criterion(outputs, labels)

    def forward(self, inputs, labels):
        outputs = self.model(inputs)
        loss = self.compute_loss(outputs, labels)
        return loss, outputs.detach()


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
train_set = [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(2)]
valid_set = [(torch.randn(5, 4), torch.randint(0, 2, (5,)))]

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for epoch in range(2):
    for phase, dataset in (("train", train_set), ("valid", valid_set)):
        if phase == "train":
            model.train()
            for inputs, labels in dataset:
                loss, outputs = model_with_loss(inputs, labels)
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
