import torch
from torch import nn

torch.manual_seed(0)
embedding_net = nn.Sequential(nn.Linear(6, 8), nn.PReLU(), nn.Linear(8, 2))
triplet_loss = nn.TripletMarginLoss(margin=1.0, p=2)
optimizer = torch.optim.SGD(embedding_net.parameters(), lr=1e-1)

for anchor, positive, negative in torch.randn(3, 3, 4, 6):
    a, p, n = embedding_net(anchor), embedding_net(positive), embedding_net(negative)
    loss = triplet_loss(a, p, n)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f} {(a - p).norm().item():.4f}")
