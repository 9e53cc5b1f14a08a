"""Train a small GPT that returns its own loss to sort lists of digits.

A sample is a list of digits followed by the same digits in order; only the second half counts
in the loss, the positions of the first are -1.
"""
import argparse
import math
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset


@dataclass
class GPTConfig:
    vocab_size: int = 10
    block_size: int = 15
    n_layer: int = 3
    n_head: int = 4
    n_embd: int = 64
    dropout: float = 0.1


class CausalSelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)
        self.n_head = config.n_head
        self.n_embd = config.n_embd

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(self.n_embd, dim=2)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        y = y.transpose(1, 2).contiguous().view(B, T, C)
        return self.c_proj(y)


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd)
        self.mlp = nn.Sequential(
            nn.Linear(config.n_embd, 4 * config.n_embd),
            nn.GELU(),
            nn.Linear(4 * config.n_embd, config.n_embd),
            nn.Dropout(config.dropout),
        )

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        x = x + self.mlp(self.ln_2(x))
        return x


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.transformer = nn.ModuleDict(dict(
            wte=nn.Embedding(config.vocab_size, config.n_embd),
            wpe=nn.Embedding(config.block_size, config.n_embd),
            drop=nn.Dropout(config.dropout),
            h=nn.ModuleList([Block(config) for _ in range(config.n_layer)]),
            ln_f=nn.LayerNorm(config.n_embd),
        ))
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        for name, p in self.named_parameters():
            if name.endswith("c_proj.weight"):
                nn.init.normal_(p, mean=0.0, std=0.02 / math.sqrt(2 * config.n_layer))

    def forward(self, idx, targets=None):
        pos = torch.arange(0, idx.size(1), dtype=torch.long, device=idx.device)
        x = self.transformer.drop(self.transformer.wte(idx) + self.transformer.wpe(pos))
        for block in self.transformer.h:
            x = block(x)
        logits = self.lm_head(self.transformer.ln_f(x))

        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1),
                                   ignore_index=-1)
        return logits, loss

    @torch.no_grad()
    def generate(self, idx, max_new_tokens):
        for _ in range(max_new_tokens):
            logits, _ = self(idx)
            idx = torch.cat((idx, logits[:, -1, :].argmax(dim=-1, keepdim=True)), dim=1)
        return idx


class SortDataset(Dataset):
    def __init__(self, size, length, num_digits, seed):
        generator = torch.Generator().manual_seed(seed)
        self.inputs = torch.randint(num_digits, (size, length), generator=generator)
        self.solutions = self.inputs.sort(dim=1).values

    def __len__(self):
        return len(self.inputs)

    def __getitem__(self, i):
        cat = torch.cat((self.inputs[i], self.solutions[i]))
        x, y = cat[:-1].clone(), cat[1:].clone()
        y[:len(self.inputs[i]) - 1] = -1
        return x, y


@torch.no_grad()
def evaluate(model, dataset, device):
    model.eval()
    inputs, solutions = dataset.inputs.to(device), dataset.solutions.to(device)
    answers = model.generate(inputs, solutions.size(1))[:, inputs.size(1):]
    model.train()
    return (answers == solutions).all(dim=1).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--length", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--train-size", type=int, default=12800)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--grad-norm-clip", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=3407)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train_dataset = SortDataset(args.train_size, args.length, 10, seed=args.seed)
    test_dataset = SortDataset(256, args.length, 10, seed=args.seed + 1)
    train_loader = DataLoader(train_dataset, batch_size=args.batch_size, shuffle=True)

    model = GPT(GPTConfig(block_size=2 * args.length - 1)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.learning_rate, betas=(0.9, 0.95))

    model.train()
    for epoch in range(args.epochs):
        for it, (x, y) in enumerate(train_loader):
            x, y = x.to(device), y.to(device)
            logits, loss = model(x, y)

            model.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), args.grad_norm_clip)
            optimizer.step()
            if it % 50 == 0:
                print(f"epoch {epoch} iter {it}: train loss {loss.item():.5f}")
        accuracy = evaluate(model, test_dataset, device)
        print(f"epoch {epoch}: {100 * accuracy:.1f}% of the test lists sorted")


if __name__ == "__main__":
    main()
