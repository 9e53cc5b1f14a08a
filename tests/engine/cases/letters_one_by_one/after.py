import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
n_categories, n_letters = 3, 9


class RNN(nn.Module):
    def __init__(self, hidden_size):
        super(RNN, self).__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(n_categories + n_letters + hidden_size, hidden_size)
        self.i2o = nn.Linear(n_categories + n_letters + hidden_size, n_letters)

    def forward(self, category, input, hidden):
        input_combined = torch.cat((category, input, hidden), 1)
        hidden = torch.tanh(self.i2h(input_combined))
        return self.i2o(input_combined), hidden

    def initHidden(self):
        return torch.zeros(1, self.hidden_size)


rnn = RNN(8)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(rnn.parameters(), lr=0.05)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, rnn, criterion):
        super().__init__()
        self.rnn = rnn
        self.criterion = criterion

    def forward(
        self,
        input_line_tensor_size,
        category_tensor,
        input_line_tensor,
        target_line_tensor,
    ):
        hidden = self.rnn.initHidden()
        loss = torch.tensor([0.0])  # you can also just simply use ``loss = 0``
        for i in range(input_line_tensor_size):
            output, hidden = self.rnn(category_tensor, input_line_tensor[i], hidden)
            l = self.criterion(output, target_line_tensor[i])
            loss += l
        return loss, output.detach()


def train(category_tensor, input_line_tensor, target_line_tensor):
    rnn_with_loss = ort_module(ModuleWithLoss, rnn, criterion)
    target_line_tensor.unsqueeze_(-1)
    loss, output = rnn_with_loss(
        input_line_tensor.size(0),
        category_tensor,
        input_line_tensor,
        target_line_tensor,
    )

    optimizer.zero_grad()

    loss.backward()
    optimizer.step()

    return output, loss.item() / input_line_tensor.size(0)


def random_example(length):
    category = torch.eye(n_categories)[torch.randint(0, n_categories, (1,))]
    letters = torch.randint(0, n_letters, (length + 1,))
    lines = torch.eye(n_letters)[letters[:-1]].unsqueeze(1)
    return category, lines, letters[1:]


for length in (4, 3, 4):
    output, loss = train(*random_example(length))
    print('%.4f %d' % (loss, output.argmax().item()))
