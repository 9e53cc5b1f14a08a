"""The environments of a minibatch are picked from both states of an LSTM before the call."""
import torch
from torch import nn

lstm = nn.LSTM(4, 5)
optimizer = torch.optim.SGD(lstm.parameters(), lr=0.1)


def train(x, state, y):
    for start in range(0, 6, 2):
        envs = torch.arange(start, start + 2)
        out, _ = lstm(x[:, envs], (state[0][:, envs], state[1][:, envs]))
        loss = (out - y[:, envs]).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    train(torch.randn(3, 6, 4), (torch.randn(1, 6, 5), torch.randn(1, 6, 5)), torch.randn(3, 6, 5))
