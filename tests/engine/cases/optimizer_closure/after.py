import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `closure`, exported to ONNX Runtime as one graph."""

    def __init__(self, seq, criterion):
        super().__init__()
        self.seq = seq
        self.criterion = criterion

    def compute_loss(self, out, target):
        return self.criterion(out, target)

    def forward(self, inputs, target):
        out = self.seq(inputs)
        return self.compute_loss(out, target)


torch.manual_seed(0)
seq = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
criterion = nn.MSELoss()
inputs, target = torch.randn(10, 3), torch.randn(10, 1)
# use LBFGS as optimizer since we can load the whole data to train
optimizer = torch.optim.LBFGS(seq.parameters(), lr=0.5, max_iter=3)

seq_with_loss = ort_module(ModuleWithLoss, seq, criterion)
for i in range(2):
    print('STEP:', i)

    def closure():
        optimizer.zero_grad()
        loss = seq_with_loss(inputs, target)
        print('loss: %.5f' % loss.item())
        loss.backward()
        return loss

    optimizer.step(closure)
