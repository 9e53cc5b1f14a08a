import random

import torch
from torch import nn, optim
from ortwrap.runtime import ort_module

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


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, encoder, decoder, criterion):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.criterion = criterion

    def forward(self, words, decoder_input, by_chance, targets):
        loss = 0
        # Forward pass through encoder
        encoder_outputs, encoder_hidden = self.encoder(words)
        decoder_hidden = encoder_hidden
        # Determine if we are using teacher forcing this iteration
        if by_chance:
            for t in range(LENGTH):
                decoder_output, decoder_hidden = self.decoder(decoder_input, decoder_hidden)
                loss += self.criterion(decoder_output, targets[t])
                decoder_input = targets[t].view(1, -1)  # teacher forcing
        else:
            for t in range(LENGTH):
                decoder_output, decoder_hidden = self.decoder(decoder_input, decoder_hidden)
                _, topi = decoder_output.topk(1)
                decoder_input = topi.view(1, -1).detach()
                loss += self.criterion(decoder_output, targets[t])
        return loss


def train(words, targets, encoder, decoder, optimizer, criterion):
    encoder_with_loss = ort_module(ModuleWithLoss, encoder, decoder, criterion)
    optimizer.zero_grad()

    # Start with SOS tokens for each sentence
    decoder_input = torch.LongTensor([[SOS_TOKEN for _ in range(words.size(1))]])

    loss = encoder_with_loss(
        words, decoder_input, random.random() < teacher_forcing_ratio, targets
    )

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
