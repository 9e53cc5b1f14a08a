"""Train a word-level language model (LSTM or GRU) on sentences of a small made-up grammar.

Sentences have different lengths: a batch is padded to its longest one, and the padded
positions do not count in the loss.
"""
import argparse
import math
import random
import time

import torch
import torch.nn as nn

parser = argparse.ArgumentParser(description="Word-level language model")
parser.add_argument("--model", type=str, default="LSTM", choices=["LSTM", "GRU"],
                    help="type of network (LSTM, GRU)")
parser.add_argument("--emsize", type=int, default=64, help="size of word embeddings")
parser.add_argument("--nhid", type=int, default=128, help="number of hidden units per layer")
parser.add_argument("--nlayers", type=int, default=2, help="number of layers")
parser.add_argument("--dropout", type=float, default=0.2, help="dropout applied to layers")
parser.add_argument("--lr", type=float, default=5e-3, help="initial learning rate")
parser.add_argument("--clip", type=float, default=0.5, help="gradient clipping")
parser.add_argument("--epochs", type=int, default=4, help="upper epoch limit")
parser.add_argument("--sentences", type=int, default=1600, help="sentences to train on")
parser.add_argument("--batch-size", type=int, default=32, metavar="N", help="batch size")
parser.add_argument("--seed", type=int, default=1111, help="random seed")
parser.add_argument("--log-interval", type=int, default=20, metavar="N", help="report interval")
parser.add_argument("--cuda", action="store_true", help="use CUDA")
parser.add_argument("--save", type=str, default="", help="path to save the best model to")
args = parser.parse_args()

torch.manual_seed(args.seed)
device = torch.device("cuda" if args.cuda else "cpu")

###############################################################################
# Data: a little grammar, a dictionary, padded batches
###############################################################################

GRAMMAR = {
    "determiner": ["the", "a", "every", "some", "no"],
    "adjective": ["small", "old", "green", "quiet", "heavy", "strange", "bright", "slow"],
    "noun": ["fox", "engine", "teacher", "river", "garden", "letter", "ship", "clock", "tree"],
    "verb": ["sees", "follows", "carries", "finds", "leaves", "paints", "hears"],
    "adverb": ["slowly", "often", "never", "again", "today"],
    "conjunction": ["and", "but", "while", "because"],
}


class Dictionary(object):
    def __init__(self):
        self.word2idx = {}
        self.idx2word = []

    def add_word(self, word):
        if word not in self.word2idx:
            self.idx2word.append(word)
            self.word2idx[word] = len(self.idx2word) - 1
        return self.word2idx[word]

    def __len__(self):
        return len(self.idx2word)


def noun_phrase(rng):
    words = [rng.choice(GRAMMAR["determiner"])]
    while rng.random() < 0.4:
        words.append(rng.choice(GRAMMAR["adjective"]))
    return words + [rng.choice(GRAMMAR["noun"])]


def sentence(rng):
    words = noun_phrase(rng) + [rng.choice(GRAMMAR["verb"])] + noun_phrase(rng)
    if rng.random() < 0.5:
        words.append(rng.choice(GRAMMAR["adverb"]))
    if rng.random() < 0.3:
        words += [rng.choice(GRAMMAR["conjunction"])] + sentence(rng)
    return words


dictionary = Dictionary()
PAD = dictionary.add_word("<pad>")
EOS = dictionary.add_word("<eos>")
for words in GRAMMAR.values():
    for word in words:
        dictionary.add_word(word)


def make_corpus(count, seed):
    rng = random.Random(seed)
    return [[EOS] + [dictionary.word2idx[word] for word in sentence(rng)] + [EOS]
            for _ in range(count)]


def get_batch(corpus, i):
    rows = [torch.tensor(ids) for ids in corpus[i:i + args.batch_size]]
    padded = nn.utils.rnn.pad_sequence(rows, padding_value=PAD)
    data, target = padded[:-1], padded[1:]
    return data.to(device), target.reshape(-1).to(device)


train_data = make_corpus(args.sentences, args.seed)
val_data = make_corpus(320, args.seed + 1)

###############################################################################
# Model
###############################################################################


class RNNModel(nn.Module):
    """Container module with an encoder, a recurrent module, and a decoder."""

    def __init__(self, rnn_type, ntoken, ninp, nhid, nlayers, dropout=0.5):
        super(RNNModel, self).__init__()
        self.ntoken = ntoken
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp, padding_idx=PAD)
        self.rnn = getattr(nn, rnn_type)(ninp, nhid, nlayers, dropout=dropout)
        self.decoder = nn.Linear(nhid, ntoken)
        self.init_weights()

    def init_weights(self):
        initrange = 0.1
        nn.init.uniform_(self.encoder.weight, -initrange, initrange)
        nn.init.zeros_(self.decoder.bias)
        nn.init.uniform_(self.decoder.weight, -initrange, initrange)

    def forward(self, input):
        emb = self.drop(self.encoder(input))
        output, hidden = self.rnn(emb)
        output = self.drop(output)
        decoded = self.decoder(output)
        return decoded.view(-1, self.ntoken)


ntokens = len(dictionary)
model = RNNModel(args.model, ntokens, args.emsize, args.nhid, args.nlayers, args.dropout).to(device)
criterion = nn.CrossEntropyLoss(ignore_index=PAD)
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.25, patience=0)

###############################################################################
# Training
###############################################################################


def evaluate(corpus):
    model.eval()
    total_loss = 0.
    batches = 0
    with torch.no_grad():
        for i in range(0, len(corpus), args.batch_size):
            data, targets = get_batch(corpus, i)
            output = model(data)
            total_loss += criterion(output, targets).item()
            batches += 1
    return total_loss / batches


def train():
    model.train()
    total_loss = 0.
    start_time = time.time()
    for batch, i in enumerate(range(0, len(train_data), args.batch_size)):
        data, targets = get_batch(train_data, i)
        optimizer.zero_grad()
        output = model(data)
        loss = criterion(output, targets)
        loss.backward()

        # clip_grad_norm helps prevent the exploding gradient problem in RNNs
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        optimizer.step()

        total_loss += loss.item()

        if batch % args.log_interval == 0 and batch > 0:
            cur_loss = total_loss / args.log_interval
            elapsed = time.time() - start_time
            print("| epoch {:3d} | {:5d}/{:5d} batches | lr {:.5f} | ms/batch {:5.2f} | "
                  "loss {:5.2f} | ppl {:8.2f}".format(
                      epoch, batch, len(train_data) // args.batch_size,
                      optimizer.param_groups[0]["lr"],
                      elapsed * 1000 / args.log_interval, cur_loss, math.exp(cur_loss)))
            total_loss = 0.
            start_time = time.time()


best_val_loss = None

for epoch in range(1, args.epochs + 1):
    epoch_start_time = time.time()
    train()
    val_loss = evaluate(val_data)
    print("-" * 89)
    print("| end of epoch {:3d} | time: {:5.2f}s | valid loss {:5.2f} | valid ppl {:8.2f}".format(
        epoch, time.time() - epoch_start_time, val_loss, math.exp(val_loss)))
    print("-" * 89)
    if not best_val_loss or val_loss < best_val_loss:
        if args.save:
            torch.save(model.state_dict(), args.save)
        best_val_loss = val_loss
    # Anneal the learning rate if no improvement has been seen on the validation set.
    scheduler.step(val_loss)
