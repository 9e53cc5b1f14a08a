"""The discriminator sees what is real, new noise is drawn into its tensor, then what is not."""
import torch
from torch import nn

torch.manual_seed(0)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))

    def forward(self, x):
        return self.layers(x).squeeze(1)


netg = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4))
netd = Critic()
optimizer_d = torch.optim.SGD(netd.parameters(), lr=0.1)
noises = torch.randn(5, 3)

for real_img in torch.randn(3, 5, 4):
    optimizer_d.zero_grad()
    r_preds = netd(real_img)

    noises.data.copy_(torch.randn(5, 3))
    fake_img = netg(noises).detach()
    f_preds = netd(fake_img)
    r_f_diff = (r_preds - f_preds.mean()).clamp(max=1)
    f_r_diff = (f_preds - r_preds.mean()).clamp(min=-1)
    loss_d = (1 - r_f_diff).mean() + (1 + f_r_diff).mean()

    loss_d.backward()
    optimizer_d.step()
    print(f"{loss_d.item():.5f}")
