import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class ContrastiveTrainer:
    def __init__(self, *args, **kwargs):
        self.temperature = kwargs["temperature"]
        self.model = kwargs["model"]
        self.optimizer = kwargs["optimizer"]
        self.criterion = nn.CrossEntropyLoss()

    def pair_logits(self, features):
        first, second = F.normalize(features, dim=1).chunk(2)
        labels = torch.arange(first.shape[0])
        return first @ second.t() / self.temperature, labels

    def train(self, batches):
        for views in batches:
            features = self.model(torch.cat(views))
            logits, labels = self.pair_logits(features)
            loss = self.criterion(logits, labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            print(f"{loss.item():.5f}", (logits.argmax(1) == labels).sum().item())


encoder = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))
trainer = ContrastiveTrainer(
    model=encoder,
    optimizer=torch.optim.SGD(encoder.parameters(), lr=0.1),
    temperature=0.5,
)
trainer.train([(torch.randn(4, 6), torch.randn(4, 6)) for _ in range(3)])
