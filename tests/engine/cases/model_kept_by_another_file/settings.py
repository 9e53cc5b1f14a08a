import torch
from torch import nn

torch.manual_seed(0)
STEPS = 5
classify = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))
measure = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(classify.parameters(), lr=0.1)
