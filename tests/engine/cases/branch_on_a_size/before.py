import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
generator = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1))
latent = torch.randn(2, 1, 8, 8, requires_grad=True)
optimizer = torch.optim.Adam([latent], lr=0.1)
target = torch.zeros(2, 1, 4, 4)

for step in range(3):
    image = generator(latent)

    batch, channel, height, width = image.shape

    if height > 4:
        factor = height // 4

        image = image.reshape(batch, channel, height // factor, factor, width // factor, factor)
        image = image.mean([3, 5])

    loss = F.mse_loss(image, target) + 0.01 * latent.pow(2).mean()

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print('%.5f' % loss.item())
