import torch
from torch import nn

torch.manual_seed(0)
seq = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
criterion = nn.MSELoss()
inputs, target = torch.randn(10, 3), torch.randn(10, 1)
# use LBFGS as optimizer since we can load the whole data to train
optimizer = torch.optim.LBFGS(seq.parameters(), lr=0.5, max_iter=3)

for i in range(2):
    print('STEP:', i)

    def closure():
        optimizer.zero_grad()
        out = seq(inputs)
        loss = criterion(out, target)
        print('loss: %.5f' % loss.item())
        loss.backward()
        return loss

    optimizer.step(closure)
