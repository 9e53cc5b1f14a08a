import torch
import torch.nn as nn

torch.manual_seed(0)
vocabulary, emsize, bptt = 20, 8, 5


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Embedding(vocabulary, emsize)
        self.decoder = nn.Linear(emsize, vocabulary)

    def forward(self, tokens):
        return self.decoder(torch.tanh(self.encoder(tokens)))


model = LanguageModel()
criterion = nn.CrossEntropyLoss(ignore_index=0)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
corpus = torch.randint(0, vocabulary, (4, 16))


def train():
    model.train()
    total_loss = 0.
    for i in range(0, corpus.size(1) - bptt, bptt):
        data = corpus[:, i:i + bptt]
        targets = corpus[:, i + 1:i + 1 + bptt].reshape(-1)
        output = model(data)
        # (batch, time, vocabulary) -> (batch * time, vocabulary)
        output = output.view(-1, vocabulary)
        loss = criterion(output, targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        total_loss += loss.item()
    return total_loss


for epoch in range(2):
    print(epoch, f"{train():.5f}")
