"""The hidden state is carried to the next step, cut from its history"""
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class RNN(nn.Module):
    def __init__(self):
        super(RNN, self).__init__()
        self.rnn = nn.RNN(input_size=1, hidden_size=8, batch_first=True)
        self.out = nn.Linear(8, 1)

    def forward(self, x, h_state):
        r_out, h_state = self.rnn(x, h_state)
        return self.out(r_out), h_state


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, rnn, loss_func):
        super().__init__()
        self.rnn = rnn
        self.loss_func = loss_func

    def compute_loss(self, prediction, y):
        return self.loss_func(prediction, y)  # calculate loss

    def forward(self, x, h_state, y):
        prediction, h_state = self.rnn(x, h_state)
        loss = self.compute_loss(prediction, y)
        return loss, prediction.detach(), h_state


rnn = RNN()
optimizer = torch.optim.Adam(rnn.parameters(), lr=0.02)
loss_func = nn.MSELoss()

h_state = None  # for initial hidden state
rnn_with_loss = ort_module(ModuleWithLoss, rnn, loss_func)
for step in range(3):
    steps = torch.linspace(step * 3.14, (step + 1) * 3.14, 6)
    x, y = torch.sin(steps)[None, :, None], torch.cos(steps)[None, :, None]

    loss, prediction, h_state = rnn_with_loss(x, h_state, y)  # rnn output
    # !! next step is important !!
    h_state = h_state.data  # repack the hidden state, break the connection from last iteration

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f} {prediction.mean().item():.5f}")
