"""A tensor that is made to be filled is made in forward, which must not change its arguments."""
import torch
from torch import nn
from ortwrap.runtime import ort_module


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(4, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, x, hidden):
        hidden = self.cell(x, hidden)
        return self.head(hidden), hidden


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, decoder, criterion):
        super().__init__()
        self.decoder = decoder
        self.criterion = criterion

    def compute_loss(self, outputs, targets):
        return self.criterion(outputs.view(-1, 3), targets.view(-1))

    def forward(self, length, size, device, hidden, words, targets):
        outputs = torch.zeros(length, size, 3).to(device)
        for t in range(4):
            output, hidden = self.decoder(words[t], hidden)
            outputs[t] = output
        return self.compute_loss(outputs, targets)


def train(decoder, batches, optimizer, criterion, device):
    decoder_with_loss = ort_module(ModuleWithLoss, decoder, criterion)
    for words, targets in batches:
        length, size = targets.shape
        hidden = torch.zeros(size, 8, device=device)
        loss = decoder_with_loss(length, size, device, hidden, words, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    decoder = Decoder()
    batches = [(torch.randn(4, 6, 4), torch.randint(3, (4, 6))) for _ in range(4)]
    optimizer = torch.optim.SGD(decoder.parameters(), lr=0.1)
    train(decoder, batches, optimizer, nn.CrossEntropyLoss(), torch.device("cpu"))
