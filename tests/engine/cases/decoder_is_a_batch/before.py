"""`decoder` holds tokens and `sampled_decoder` those that the model is given, neither is a module."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Speaker(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 8)
        self.head = nn.Linear(8, 9)
        self.lengths = nn.Linear(8, 1)

    def forward(self, text, tokens):
        return self.head(self.embed(tokens) + self.embed(text).mean(dim=1, keepdim=True))

    def predict_log_lengths(self, text):
        return self.lengths(self.embed(text).mean(dim=1)).squeeze(-1)


def batch():
    text, decoder = torch.randint(0, 9, (4, 6)), torch.randint(0, 9, (4, 5))
    labels = torch.randint(0, 9, (4, 5))
    labels[:, 3:] = -100
    return text, decoder, labels


model = Speaker()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
text, decoder, labels = [x.to("cpu") for x in batch()]
for step in range(3):
    model.train()
    sampled_decoder = decoder
    if step > 0:
        sampled_decoder = decoder.clone()
        sampled_decoder[:, 1:] = torch.where(labels[:, :-1].ne(-100), labels[:, :-1], 0)
    logits = model(text, sampled_decoder)
    token_loss = F.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=-100
    )
    target_lengths = labels.ne(-100).sum(dim=1).sub(1).clamp_min(0)
    duration_loss = F.smooth_l1_loss(
        model.predict_log_lengths(text), torch.log1p(target_lengths.float())
    )
    loss = token_loss + 0.1 * duration_loss
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    print(f"{step} {token_loss.item():.5f} {duration_loss.item():.5f}")
