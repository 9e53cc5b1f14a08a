"""Pre-train a small BERT-like encoder with the masked language model objective.

The corpus is made here, from a seed: sentences of token ids in which the next token mostly
follows from the one before it, so that a masked token can be guessed from its neighbours.
As in BERT, 15 % of the positions carry a label; all others are -100, which the loss ignores.
"""
import argparse
import math
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

PAD, CLS, SEP, MASK, FIRST_WORD = 0, 101, 102, 103, 1000
IGNORED = -100


class MarkovCorpus(Dataset):
    """Token id sequences from a sparse random walk over the most common words."""

    def __init__(self, num_samples, max_len, vocab_size, seed, num_words=200):
        generator = torch.Generator().manual_seed(seed)
        table = torch.Generator().manual_seed(0)
        words = FIRST_WORD + torch.randperm(vocab_size - FIRST_WORD, generator=table)[:num_words]
        following = torch.randint(num_words, (num_words, 2), generator=table)

        state = torch.randint(num_words, (num_samples,), generator=generator)
        tokens = torch.empty(num_samples, max_len, dtype=torch.long)
        for position in range(max_len):
            tokens[:, position] = words[state]
            branch = (torch.rand(num_samples, generator=generator) < 0.1).long()
            state = following[state, branch]
        # As in BERT, one sequence in ten is shorter than the others and padded.
        lengths = torch.full((num_samples,), max_len)
        short = torch.rand(num_samples, generator=generator) < 0.1
        lengths[short] = torch.randint(max_len // 2, max_len, (int(short.sum()),),
                                       generator=generator)
        tokens[:, 0] = CLS
        tokens[torch.arange(num_samples), lengths - 1] = SEP
        positions = torch.arange(max_len).unsqueeze(0)
        self.attention_mask = (positions < lengths.unsqueeze(1)).long()
        self.tokens = tokens.masked_fill(self.attention_mask == 0, PAD)

    def __len__(self):
        return len(self.tokens)

    def __getitem__(self, index):
        return {"input_ids": self.tokens[index], "attention_mask": self.attention_mask[index]}


class MaskingCollator:
    """Stacks samples and masks a share of their words: 80 % [MASK], 10 % random, 10 % kept."""

    def __init__(self, vocab_size, mlm_probability, seed):
        self.vocab_size = vocab_size
        self.mlm_probability = mlm_probability
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, samples):
        input_ids = torch.stack([sample["input_ids"] for sample in samples])
        attention_mask = torch.stack([sample["attention_mask"] for sample in samples])
        labels = input_ids.clone()

        chosen = torch.rand(input_ids.shape, generator=self.generator) < self.mlm_probability
        if self.mlm_probability < 1:
            chosen &= input_ids >= FIRST_WORD
        labels[~chosen] = IGNORED

        action = torch.rand(input_ids.shape, generator=self.generator)
        random_words = torch.randint(FIRST_WORD, self.vocab_size, input_ids.shape,
                                     generator=self.generator)
        input_ids[chosen & (action < 0.8)] = MASK
        replaced = chosen & (action >= 0.8) & (action < 0.9)
        input_ids[replaced] = random_words[replaced]
        return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


class SelfAttention(nn.Module):
    def __init__(self, hidden_size, num_heads, dropout):
        super().__init__()
        self.num_heads = num_heads
        self.head_size = hidden_size // num_heads
        self.query = nn.Linear(hidden_size, hidden_size)
        # A bias of the keys adds the same to every score of a query: softmax takes it away again.
        self.key = nn.Linear(hidden_size, hidden_size, bias=False)
        self.value = nn.Linear(hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, hidden_size)
        self.dropout = nn.Dropout(dropout)

    def split_heads(self, x):
        batch, length, _ = x.shape
        return x.view(batch, length, self.num_heads, self.head_size).transpose(1, 2)

    def forward(self, x, bias):
        query = self.split_heads(self.query(x))
        key = self.split_heads(self.key(x))
        value = self.split_heads(self.value(x))
        scores = torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(self.head_size)
        probabilities = self.dropout(F.softmax(scores + bias, dim=-1))
        context = torch.matmul(probabilities, value).transpose(1, 2).contiguous()
        return self.output(context.view(x.shape))


class EncoderLayer(nn.Module):
    def __init__(self, hidden_size, num_heads, dropout):
        super().__init__()
        self.attention = SelfAttention(hidden_size, num_heads, dropout)
        self.attention_norm = nn.LayerNorm(hidden_size)
        self.intermediate = nn.Linear(hidden_size, 4 * hidden_size)
        self.output = nn.Linear(4 * hidden_size, hidden_size)
        self.output_norm = nn.LayerNorm(hidden_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, bias):
        x = self.attention_norm(x + self.dropout(self.attention(x, bias)))
        hidden = F.gelu(self.intermediate(x))
        return self.output_norm(x + self.dropout(self.output(hidden)))


class BertForMaskedLM(nn.Module):
    def __init__(self, vocab_size, hidden_size, num_layers, num_heads, max_len, dropout):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab_size, hidden_size, padding_idx=PAD)
        self.position_embeddings = nn.Embedding(max_len, hidden_size)
        self.embedding_norm = nn.LayerNorm(hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            [EncoderLayer(hidden_size, num_heads, dropout) for _ in range(num_layers)])
        self.transform = nn.Linear(hidden_size, hidden_size)
        self.transform_norm = nn.LayerNorm(hidden_size)
        self.decoder = nn.Linear(hidden_size, vocab_size)
        self.register_buffer("position_ids", torch.arange(max_len).unsqueeze(0))
        self.apply(self._init_weights)

    def _init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, input_ids, attention_mask):
        positions = self.position_ids[:, :input_ids.size(1)]
        x = self.word_embeddings(input_ids) + self.position_embeddings(positions)
        x = self.dropout(self.embedding_norm(x))
        bias = (1.0 - attention_mask[:, None, None, :].float()) * -10000.0
        for layer in self.layers:
            x = layer(x, bias)
        x = self.transform_norm(F.gelu(self.transform(x)))
        return self.decoder(x)


def parse_args():
    parser = argparse.ArgumentParser(description="Masked language model pre-training")
    parser.add_argument("--vocab-size", type=int, default=30522)
    parser.add_argument("--hidden-size", type=int, default=256)
    parser.add_argument("--num-layers", type=int, default=4)
    parser.add_argument("--num-heads", type=int, default=4)
    parser.add_argument("--max-len", type=int, default=128)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--mlm-probability", type=float, default=0.15,
                        help="share of the positions that carry a label (1: all of them)")
    parser.add_argument("--train-samples", type=int, default=200)
    parser.add_argument("--eval-samples", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--warmup-steps", type=int, default=10)
    parser.add_argument("--max-grad-norm", type=float, default=1.0)
    parser.add_argument("--logging-steps", type=int, default=10)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--output", default="", help="where to save the trained weights")
    return parser.parse_args()


def evaluate(model, loader, criterion, device):
    model.eval()
    losses = []
    with torch.no_grad():
        for batch in loader:
            batch = {name: tensor.to(device) for name, tensor in batch.items()}
            logits = model(batch["input_ids"], batch["attention_mask"])
            losses.append(criterion(logits.view(-1, logits.size(-1)), batch["labels"].view(-1)))
    model.train()
    return torch.stack(losses).mean().item()


def main():
    args = parse_args()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    train_loader = DataLoader(
        MarkovCorpus(args.train_samples, args.max_len, args.vocab_size, args.seed),
        batch_size=args.batch_size, shuffle=True, drop_last=True,
        collate_fn=MaskingCollator(args.vocab_size, args.mlm_probability, args.seed))
    eval_loader = DataLoader(
        MarkovCorpus(args.eval_samples, args.max_len, args.vocab_size, args.seed + 1),
        batch_size=args.batch_size,
        collate_fn=MaskingCollator(args.vocab_size, args.mlm_probability, args.seed + 1))

    model = BertForMaskedLM(args.vocab_size, args.hidden_size, args.num_layers, args.num_heads,
                            args.max_len, args.dropout).to(device)
    criterion = nn.CrossEntropyLoss(ignore_index=IGNORED)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, eps=1e-6, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / args.warmup_steps))

    print("%.1fM parameters" % (sum(p.numel() for p in model.parameters()) / 1e6))
    model.train()
    global_step = 0
    running_loss = 0.0
    start = time.time()
    for epoch in range(args.epochs):
        for batch in train_loader:
            input_ids = batch["input_ids"].to(device)
            attention_mask = batch["attention_mask"].to(device)
            labels = batch["labels"].to(device)

            optimizer.zero_grad()
            logits = model(input_ids, attention_mask)
            loss = criterion(logits.view(-1, args.vocab_size), labels.view(-1))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), args.max_grad_norm)
            optimizer.step()
            scheduler.step()

            running_loss += loss.item()
            global_step += 1
            if global_step % args.logging_steps == 0:
                print("epoch %d step %d: loss %.4f, %.0f ms per step" % (
                    epoch, global_step, running_loss / args.logging_steps,
                    (time.time() - start) / args.logging_steps * 1000))
                running_loss = 0.0
                start = time.time()

        eval_loss = evaluate(model, eval_loader, criterion, device)
        print("epoch %d: eval loss %.4f, perplexity %.1f" % (epoch, eval_loss, math.exp(eval_loss)))

    if args.output:
        torch.save(model.state_dict(), args.output)


if __name__ == "__main__":
    main()
