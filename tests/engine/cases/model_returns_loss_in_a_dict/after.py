import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 3)
        self.loss_function = nn.CrossEntropyLoss()

    def forward(self, image, label):
        logits = self.linear(image)
        return {"loss": self.loss_function(logits, label), "logits": logits}


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image, label):
        return self.model(image, label)["loss"]


model = Model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model)
for image, label in [(torch.randn(4, 6), torch.randint(0, 3, (4,))) for _ in range(3)]:
    loss = model_with_loss(image, label)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
