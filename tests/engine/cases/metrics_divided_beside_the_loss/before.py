"""A report read off the scores, whose numbers share the branch that divides the loss."""
import torch
import torch.nn as nn

torch.manual_seed(0)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, x, labels):
        scores = self.linear(x)
        return scores, self.criterion(scores, labels)


def report(labels, predicted):
    right = sum(one == other for one, other in zip(labels, predicted))
    return {"right": right, "share": right / len(labels)}


model = Classifier()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for accumulation_steps in (1, 2):
    total, share = 0, 0
    for step in range(4):
        x, y = torch.randn(6, 4), torch.randint(0, 3, (6,))
        scores, loss = model(x, y)
        best = scores.max(dim=1)[1]
        told = report(y.tolist(), best.tolist())
        batch_share = told["share"]
        if accumulation_steps > 1:
            batch_share /= accumulation_steps
            loss /= accumulation_steps
        loss.backward()
        total += loss.item()
        share += batch_share
        if (step + 1) % accumulation_steps == 0:
            optimizer.step()
            optimizer.zero_grad()
    print("%.5f %.5f" % (total, share))
