"""Mixed precision as the PyTorch recipe has it; without a GPU it runs in full precision."""
import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, net, loss_fn):
        super().__init__()
        self.net = net
        self.loss_fn = loss_fn

    def compute_loss(self, output, target):
        return self.loss_fn(output, target)

    def forward(self, input, target):
        output = self.net(input)
        return self.compute_loss(output, target)


torch.manual_seed(0)
use_amp = torch.cuda.is_available()
device = "cuda" if use_amp else "cpu"
net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4)).to(device)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
scaler = torch.amp.GradScaler(device, enabled=use_amp)
loss_fn = nn.MSELoss()
data = [(torch.randn(6, 8), torch.randn(6, 4)) for _ in range(3)]

net_with_loss = ort_module(ModuleWithLoss, net, loss_fn)
for epoch in range(2):
    for input, target in data:
        input, target = input.to(device), target.to(device)
        with torch.autocast(device_type=device, dtype=torch.float16, enabled=use_amp):
            loss = net_with_loss(input, target)
        scaler.scale(loss).backward()
        # Unscale before clipping, so that the threshold means what it says.
        scaler.unscale_(opt)
        torch.nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
        scaler.step(opt)
        scaler.update()
        opt.zero_grad()
    print(f"{epoch} {loss.item():.5f}")
