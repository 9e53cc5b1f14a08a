"""The annotated transformer: an object computes loss and gradient of what the model returned."""
import torch
import torch.nn as nn

torch.manual_seed(0)


class LossCompute:
    def __init__(self, generator, criterion):
        self.generator = generator
        self.criterion = criterion

    def __call__(self, x, y, norm):
        x = self.generator(x)
        return self.criterion(x.view(-1, x.size(-1)), y.view(-1)) / norm


encoder, generator = nn.Embedding(10, 5), nn.Linear(5, 10)
loss_compute = LossCompute(generator, nn.CrossEntropyLoss(reduction="sum"))
optimizer = torch.optim.Adam([*encoder.parameters(), *generator.parameters()], lr=0.01)

for _ in range(3):
    src, trg = torch.randint(0, 10, (2, 4)), torch.randint(0, 10, (2, 4))
    out = encoder(src)
    loss = loss_compute(out, trg, norm=trg.numel())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
