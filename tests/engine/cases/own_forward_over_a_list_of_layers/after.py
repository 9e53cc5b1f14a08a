"""A network that trains itself, by `self.forward`, whose layers began as a plain list."""
import torch
import torch.nn.functional as F
from ortwrap.runtime import ort_module


class ModuleWithLoss(torch.nn.Module):
    """Forward pass and loss of `Net.train_full_batch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, out, mask, y):
        return F.cross_entropy(out[mask], y)

    def forward(self, x, mask, y):
        out, _ = self.model.forward(x)
        return self.compute_loss(out, mask, y)


class Net(torch.nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            self.layers.append(torch.nn.Linear(inputs, outputs))
        self.layers = torch.nn.ModuleList(self.layers)

    def forward(self, x):
        for i in range(len(self.layers)):
            x = self.layers[i](x)
            if i != len(self.layers) - 1:
                x = F.elu(x)
        return x, None

    def set_others(self, lr):
        self.optimizer = torch.optim.Adam(self.parameters(), lr)

    def train_full_batch(self, x, y, mask):
        model_with_loss = ort_module(ModuleWithLoss, self)
        self.train()
        self.optimizer.zero_grad()
        loss = model_with_loss(x, mask, y[mask])
        loss.backward()
        self.optimizer.step()
        return loss.item()


torch.manual_seed(0)
x, y = torch.randn(12, 5), torch.randint(0, 3, (12,))
mask = torch.arange(12) < 8
net = Net([5, 8, 3])
net.set_others(0.01)
for epoch in range(4):
    print(f"{net.train_full_batch(x, y, mask):.4f}")
