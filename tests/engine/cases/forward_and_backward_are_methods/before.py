import torch
import torch.nn as nn

torch.manual_seed(0)


class SegmentationModel:
    """A step in methods of its own, as image translation models have it."""

    def __init__(self):
        self.net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=0.01)
        self.loss_total = None

    def set_input(self, image, label):
        self.image = image
        self.label = label

    def forward_train(self):
        # run forward pass
        self.prediction = self.net(self.image)
        self.loss_total = self.criterion(self.prediction, self.label)

    def backward_train(self):
        (self.loss_total / 2).backward()

    def optimize_parameters(self):
        self.forward_train()
        self.optimizer.zero_grad()
        self.backward_train()
        self.optimizer.step()

    def get_current_errors(self):
        wrong = (self.prediction.argmax(1) != self.label).float().mean()
        return self.loss_total.item(), wrong.item()


model = SegmentationModel()
for _ in range(3):
    model.set_input(torch.randn(2, 1, 5, 5), torch.randint(0, 2, (2, 5, 5)))
    model.optimize_parameters()
    print('%.4f %.4f' % model.get_current_errors())
