import torch
import torch.nn as nn

torch.manual_seed(0)


class Names:
    """Words of different lengths, and noise that grows whenever one is asked for."""

    def __init__(self):
        self.asked = 0
        self.words = [torch.randint(0, 9, (3 + i % 3,)) for i in range(12)]

    def __len__(self):
        return len(self.words)

    def __getitem__(self, i):
        self.asked += 1
        letters = nn.functional.one_hot(self.words[i], 9).float()
        return torch.tensor([i % 3]), letters.unsqueeze(1) + 0.01 * self.asked, 'abc'[i % 3]


class CharRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(9, 8)
        self.h2o = nn.Linear(8, 3)

    def forward(self, line_tensor):
        rnn_out, hidden = self.rnn(line_tensor)
        return nn.functional.log_softmax(self.h2o(hidden[0]), dim=1)


def train(rnn, training_data, n_epoch, n_batch_size, criterion=nn.NLLLoss()):
    optimizer = torch.optim.SGD(rnn.parameters(), lr=0.2)
    for epoch in range(n_epoch):
        order = torch.randperm(len(training_data)).tolist()
        for start in range(0, len(order), n_batch_size):
            batch_loss = 0
            for i in order[start:start + n_batch_size]:  # for each example in this batch
                (label_tensor, text_tensor, label) = training_data[i]
                output = rnn.forward(text_tensor)
                loss = criterion(output, label_tensor)
                if label == 'a':
                    print(label, '%.4f' % loss.item())
                batch_loss += loss

            batch_loss.backward()
            nn.utils.clip_grad_norm_(rnn.parameters(), 3)
            optimizer.step()
            optimizer.zero_grad()
            print('%.4f' % (batch_loss.item() / n_batch_size))


names = Names()
train(CharRNN(), names, n_epoch=2, n_batch_size=4)
print(names.asked)
