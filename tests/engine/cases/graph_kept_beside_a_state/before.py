"""A recurrent network whose state is cut loose in each step, and whose graph is kept all the same."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Tagger(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.rnn = nn.LSTM(4, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 3)

    def forward(self, x, state):
        seen, state = self.rnn(x, state)
        return self.head(seen), state


def cut_loose(state):
    if torch.is_tensor(state):
        return state.detach()
    return tuple(cut_loose(one) for one in state)


def train(tagger, batches):
    optimizer = torch.optim.SGD(tagger.parameters(), lr=0.1)
    state = (torch.zeros(1, 2, 5), torch.zeros(1, 2, 5))
    total, losses = 0, []
    for x, y in batches:
        state = cut_loose(state)
        scores, state = tagger(x, state)
        loss = F.cross_entropy(scores.flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward(retain_graph=True)
        optimizer.step()
        total += loss
        losses.append(loss)
    print("%.5f %.5f" % ((total / len(batches)).item(), torch.stack(losses).max().item()))


batches = [(torch.randn(2, 6, 4), torch.randint(0, 3, (2, 6))) for _ in range(4)]
train(Tagger(5), batches)
