import torch as th
import torch.nn.functional as F
from ortwrap.runtime import ort_module

th.manual_seed(0)
model = th.nn.Sequential(th.nn.Linear(5, 8), th.nn.Tanh(), th.nn.Linear(8, 3))
opt = th.optim.AdamW(model.parameters(), lr=0.01)


class LossAwareSampler:
    """Draws the timesteps more often whose losses are large."""

    def __init__(self, steps):
        self.seen = th.ones(steps)

    def sample(self, count):
        p = self.seen / self.seen.sum()
        t = th.multinomial(p, count, replacement=True)
        return t, 1 / (len(p) * p[t])

    def update_with_local_losses(self, t, losses):
        self.seen[t] = losses


def compute_top_k(logits, labels, k):
    _, top_ks = th.topk(logits, k, dim=-1)
    return (top_ks == labels[:, None]).float().sum(dim=-1)


class ModuleWithLoss(th.nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, logits, labels):
        return F.cross_entropy(logits, labels, reduction="none")

    def forward(self, batch, t, labels):
        logits = self.model(batch * (1 + t[:, None]))
        loss = self.compute_loss(logits, labels)
        return loss, logits


schedule_sampler = LossAwareSampler(4)
model_with_loss = ort_module(ModuleWithLoss, model)
for step in range(3):
    batch, labels = th.randn(6, 5), th.randint(0, 3, (6,))
    t, weights = schedule_sampler.sample(6)

    loss, logits = model_with_loss(batch, t, labels)

    losses = {}
    losses["train_loss"] = loss.detach()
    losses["train_acc@1"] = compute_top_k(logits, labels, k=1)
    schedule_sampler.update_with_local_losses(t, losses["train_loss"])
    del losses
    loss = (loss * weights).mean()
    if loss.requires_grad:
        opt.zero_grad()
        loss.backward()
        opt.step()
    print('%.4f %.4f' % (loss.item(), schedule_sampler.seen.sum().item()))
