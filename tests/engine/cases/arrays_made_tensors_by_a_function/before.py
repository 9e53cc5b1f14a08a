"""A worker of A3C: what it saw is NumPy's, and a function of its own makes tensors of it."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def v_wrap(array, dtype=np.float32):
    if array.dtype != dtype:
        array = array.astype(dtype)
    return torch.from_numpy(array)


class Net(nn.Module):
    def __init__(self, states, actions):
        super().__init__()
        self.policy = nn.Sequential(nn.Linear(states, 8), nn.Tanh(), nn.Linear(8, actions))
        self.value = nn.Sequential(nn.Linear(states, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, x):
        return self.policy(x), self.value(x)

    def loss_func(self, s, a, v_t):
        logits, values = self.forward(s)
        advantage = v_t - values
        log_probs = F.log_softmax(logits, dim=1).gather(1, a[:, None])
        return (advantage.pow(2) - log_probs * advantage.detach()).mean()


def push_and_pull(opt, lnet, gnet, bs, ba, br, gamma):
    running = 0.0
    buffer_v_target = []
    for r in br[::-1]:
        running = r + gamma * running
        buffer_v_target.append(running)
    buffer_v_target.reverse()

    loss = lnet.loss_func(
        v_wrap(np.vstack(bs)),
        v_wrap(np.array(ba), dtype=np.int64) if ba[0].dtype == np.int64 else v_wrap(np.vstack(ba)),
        v_wrap(np.array(buffer_v_target)[:, None]))

    opt.zero_grad()
    loss.backward()
    for lp, gp in zip(lnet.parameters(), gnet.parameters()):
        gp._grad = lp.grad
    opt.step()
    lnet.load_state_dict(gnet.state_dict())
    return loss.item()


torch.manual_seed(0)
generator = np.random.default_rng(0)
gnet, lnet = Net(4, 3), Net(4, 3)
lnet.load_state_dict(gnet.state_dict())
opt = torch.optim.SGD(gnet.parameters(), lr=0.05)
for episode in range(6):
    states = [generator.standard_normal(4) for _ in range(5)]
    actions = [np.int64(generator.integers(3)) for _ in range(5)]
    rewards = [float(generator.standard_normal()) for _ in range(5)]
    print(f"{push_and_pull(opt, lnet, gnet, states, actions, rewards, 0.9):.4f}")
