import torch
from torch import nn, optim
from ortwrap.runtime import ort_module

torch.manual_seed(0)

decoder = nn.GRUCell(3, 4)
out = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD([*decoder.parameters(), *out.parameters()], lr=0.1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, decoder, out, criterion):
        super().__init__()
        self.decoder = decoder
        self.out = out
        self.criterion = criterion

    def forward(self, hidden, sequence, target):
        loss = 0
        losses, count = [], 0
        for i in range(3):
            hidden = self.decoder(sequence[i], hidden)
            step_loss = self.criterion(self.out(hidden), target[i])
            loss = loss + step_loss
            losses.append(step_loss.item() * 2)
            count += 2
        return loss, losses, count


def train(sequence, target, hidden):
    decoder_with_loss = ort_module(ModuleWithLoss, decoder, out, criterion)
    optimizer.zero_grad()
    loss, losses, count = decoder_with_loss(hidden, sequence, target)
    loss.backward()
    optimizer.step()
    return sum(losses) / count


for _ in range(4):
    sequence, target = torch.randn(3, 2, 3), torch.randint(0, 3, (3, 2))
    print("%.3f" % train(sequence, target, torch.zeros(2, 4)))
