"""A network that only an option makes, and that the loss asks only on that option."""
import torch
import torch.nn as nn


class Features(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 3, 3))

    def forward(self, image):
        return self.layers(image)


def train(perceptual, cuda, weight=0.1):
    torch.manual_seed(0)
    model = nn.Conv2d(1, 1, 3, padding=1)
    if perceptual:
        features = Features()
        for parameter in features.parameters():
            parameter.requires_grad = False
    criterion = nn.MSELoss()
    if cuda:
        model = model.cuda()
        if perceptual:
            features = features.cuda()

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(3):
        coarse, sharp = torch.randn(2, 1, 8, 8), torch.randn(2, 1, 8, 8)
        output = model(coarse)
        loss = criterion(output, sharp)
        if perceptual:
            loss = loss + weight * criterion(features(output), features(sharp))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print("%.5f" % loss.item())


train(perceptual=False, cuda=False)
train(perceptual=True, cuda=False)
