"""The annotated transformer: an object computes loss and gradient of what the model returned."""
import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class LossCompute:
    def __init__(self, generator, criterion):
        self.generator = generator
        self.criterion = criterion

    def __call__(self, x, y, norm):
        x = self.generator(x)
        return self.criterion(x.view(-1, x.size(-1)), y.view(-1)) / norm


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, encoder, generator, loss_compute):
        super().__init__()
        self.encoder = encoder
        self.generator = generator
        self.loss_compute = loss_compute

    def forward(self, src, trg, trg_numel):
        out = self.encoder(src)
        return self.loss_compute(out, trg, norm=trg_numel)


encoder, generator = nn.Embedding(10, 5), nn.Linear(5, 10)
loss_compute = LossCompute(generator, nn.CrossEntropyLoss(reduction="sum"))
optimizer = torch.optim.Adam([*encoder.parameters(), *generator.parameters()], lr=0.01)

for _ in range(3):
    src, trg = torch.randint(0, 10, (2, 4)), torch.randint(0, 10, (2, 4))
    encoder_with_loss = ort_module(
        ModuleWithLoss, encoder, loss_compute.generator, loss_compute
    )
    loss = encoder_with_loss(src, trg, trg.numel())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
