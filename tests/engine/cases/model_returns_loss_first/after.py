import torch
import torch.nn as nn
from torch.nn import functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(1337)
block_size, vocab_size = 6, 16


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(vocab_size, 8)
        self.lm_head = nn.Linear(8, vocab_size, bias=False)

    def forward(self, idx, targets=None):
        logits = self.lm_head(F.gelu(self.wte(idx)))
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)
        return logits, loss


def get_batch():
    x = torch.randint(vocab_size, (4, block_size))
    return x, x.roll(-1, dims=1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, xb, yb):
        logits, loss = self.model(xb, yb)
        return loss


model = GPT()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)

model_with_loss = ort_module(ModuleWithLoss, model)
for iter_num in range(4):
    xb, yb = get_batch()

    # evaluate the loss
    loss = model_with_loss(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    print(f"iter {iter_num}: loss {loss.item():.5f}")
