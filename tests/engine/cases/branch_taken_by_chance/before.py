import random

import torch
from torch import nn, optim

torch.manual_seed(0)
random.seed(0)
SOS_TOKEN, LENGTH = 0, 4
teacher_forcing_ratio = 0.5


class Encoder(nn.Module):
    def __init__(self, embedding):
        super().__init__()
        self.embedding = embedding
        self.dropout = nn.Dropout(0.1)
        self.rnn = nn.GRU(8, 8)

    def forward(self, words):
        return self.rnn(self.dropout(self.embedding(words)))


class Decoder(nn.Module):
    def __init__(self, embedding, n_words):
        super().__init__()
        self.embedding = embedding
        self.rnn = nn.GRU(8, 8)
        self.out = nn.Linear(8, n_words)

    def forward(self, word, hidden):
        output, hidden = self.rnn(self.embedding(word), hidden)
        return self.out(output[0]), hidden


def train(words, targets, encoder, decoder, optimizer, criterion):
    optimizer.zero_grad()
    loss = 0

    # Forward pass through encoder
    encoder_outputs, encoder_hidden = encoder(words)

    # Start with SOS tokens for each sentence
    decoder_input = torch.LongTensor([[SOS_TOKEN for _ in range(words.size(1))]])
    decoder_hidden = encoder_hidden

    # Determine if we are using teacher forcing this iteration
    if random.random() < teacher_forcing_ratio:
        for t in range(LENGTH):
            decoder_output, decoder_hidden = decoder(decoder_input, decoder_hidden)
            loss += criterion(decoder_output, targets[t])
            decoder_input = targets[t].view(1, -1)  # teacher forcing
    else:
        for t in range(LENGTH):
            decoder_output, decoder_hidden = decoder(decoder_input, decoder_hidden)
            _, topi = decoder_output.topk(1)
            decoder_input = topi.view(1, -1).detach()
            loss += criterion(decoder_output, targets[t])

    loss.backward()
    optimizer.step()
    return loss.item() / LENGTH


embedding = nn.Embedding(9, 8)
encoder = Encoder(embedding)
decoder = Decoder(embedding, 9)
optimizer = optim.Adam([*encoder.parameters(), *decoder.out.parameters()], lr=0.01)
for step in range(5):
    words, targets = torch.randint(1, 9, (LENGTH, 3)), torch.randint(1, 9, (LENGTH, 3))
    print('%.5f' % train(words, targets, encoder, decoder, optimizer, nn.CrossEntropyLoss()))
