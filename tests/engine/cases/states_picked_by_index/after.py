"""The environments of a minibatch are picked from both states of an LSTM before the call."""
import torch
from torch import nn
from ortwrap.runtime import ort_module

lstm = nn.LSTM(4, 5)
optimizer = torch.optim.SGD(lstm.parameters(), lr=0.1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, lstm):
        super().__init__()
        self.lstm = lstm

    def compute_loss(self, out, y):
        return (out - y).pow(2).mean()

    def forward(self, x, state_0, state_1, y):
        out, _ = self.lstm(x, (state_0, state_1))
        return self.compute_loss(out, y)


def train(x, state, y):
    lstm_with_loss = ort_module(ModuleWithLoss, lstm)
    for start in range(0, 6, 2):
        envs = torch.arange(start, start + 2)
        loss = lstm_with_loss(x[:, envs], state[0][:, envs], state[1][:, envs], y[:, envs])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    train(torch.randn(3, 6, 4), (torch.randn(1, 6, 5), torch.randn(1, 6, 5)), torch.randn(3, 6, 5))
