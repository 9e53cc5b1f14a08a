"""Node classification: only the training nodes of the graph have a label."""
import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(42)


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass):
        super().__init__()
        self.gc1 = nn.Linear(nfeat, nhid)
        self.gc2 = nn.Linear(nhid, nclass)

    def forward(self, x, adj):
        x = F.relu(adj @ self.gc1(x))
        return F.log_softmax(adj @ self.gc2(x), dim=1)


features, labels = torch.randn(12, 6), torch.randint(0, 3, (12,))
adj = torch.softmax(torch.randn(12, 12), dim=1)
idx_train, idx_val = torch.arange(6), torch.arange(6, 12)
model = GCN(nfeat=6, nhid=5, nclass=3)
optimizer = torch.optim.Adam(model.parameters(), lr=0.05, weight_decay=5e-4)


def accuracy(output, labels):
    return (output.max(1)[1] == labels).double().mean()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, output, idx_train, labels):
        return F.nll_loss(output[idx_train], labels)

    def forward(self, features, adj, idx_train, labels):
        output = self.model(features, adj)
        loss_train = self.compute_loss(output, idx_train, labels)
        return loss_train, output.detach()


def train(epoch):
    model_with_loss = ort_module(ModuleWithLoss, model)
    model.train()
    optimizer.zero_grad()
    loss_train, output = model_with_loss(features, adj, idx_train, labels[idx_train])
    acc_train = accuracy(output[idx_train], labels[idx_train])
    loss_train.backward()
    optimizer.step()
    loss_val = F.nll_loss(output[idx_val], labels[idx_val])
    print(f'Epoch: {epoch} loss: {loss_train.item():.5f} acc: {acc_train.item():.4f} '
          f'val: {loss_val.item():.5f}')


for epoch in range(4):
    train(epoch)
