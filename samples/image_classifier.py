"""Train a small convolutional network to tell shapes drawn on noisy 28x28 images apart.

The images are drawn here, from a seed, so nothing is downloaded.
"""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

SHAPES = ["horizontal", "vertical", "cross", "square", "frame", "diagonal", "dot", "blank"]


class Net(nn.Module):
    def __init__(self, num_classes=len(SHAPES)):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, 1)
        self.conv2 = nn.Conv2d(16, 32, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(32 * 12 * 12, 64)
        self.fc2 = nn.Linear(64, num_classes)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = self.dropout2(x)
        x = self.fc2(x)
        return F.log_softmax(x, dim=1)


def draw(label, size, generator):
    """One image of the shape `label`, at a random place, with noise on top."""
    image = torch.zeros(28, 28)
    top, left = torch.randint(2, 26 - size, (2,), generator=generator).tolist()
    middle = size // 2
    patch = image[top:top + size, left:left + size]
    shape = SHAPES[label]
    if shape in ("horizontal", "cross"):
        patch[middle - 1:middle + 1, :] = 1
    if shape in ("vertical", "cross"):
        patch[:, middle - 1:middle + 1] = 1
    if shape == "square":
        patch[:] = 1
    if shape == "frame":
        patch[0, :] = patch[-1, :] = 1
        patch[:, 0] = patch[:, -1] = 1
    if shape == "diagonal":
        patch.fill_diagonal_(1)
    if shape == "dot":
        patch[middle - 1:middle + 2, middle - 1:middle + 2] = 1
    return image + 0.2 * torch.randn(28, 28, generator=generator)


def make_dataset(count, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(len(SHAPES), (count,), generator=generator)
    sizes = torch.randint(8, 16, (count,), generator=generator).tolist()
    images = [draw(label, size, generator) for label, size in zip(labels.tolist(), sizes)]
    return TensorDataset(torch.stack(images).unsqueeze(1), labels)


def train(args, model, device, train_loader, optimizer, epoch):
    model.train()
    correct = 0
    for batch_idx, (data, target) in enumerate(train_loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        optimizer.step()
        correct += (output.argmax(dim=1) == target).sum().item()
        if batch_idx % args.log_interval == 0:
            print("Train Epoch: {} [{}/{} ({:.0f}%)]\tLoss: {:.6f}".format(
                epoch, batch_idx * len(data), len(train_loader.dataset),
                100. * batch_idx / len(train_loader), loss.item()))
            if args.dry_run:
                break
    print("Train Epoch: {}\tAccuracy: {:.1f}%".format(
        epoch, 100. * correct / len(train_loader.dataset)))


def test(model, device, test_loader):
    model.eval()
    test_loss = 0
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            data, target = data.to(device), target.to(device)
            output = model(data)
            test_loss += F.nll_loss(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()

    test_loss /= len(test_loader.dataset)
    print("\nTest set: Average loss: {:.4f}, Accuracy: {}/{} ({:.0f}%)\n".format(
        test_loss, correct, len(test_loader.dataset),
        100. * correct / len(test_loader.dataset)))


def main():
    parser = argparse.ArgumentParser(description="Shape classification example")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N",
                        help="input batch size for training (default: 64)")
    parser.add_argument("--test-batch-size", type=int, default=500, metavar="N",
                        help="input batch size for testing (default: 500)")
    parser.add_argument("--epochs", type=int, default=4, metavar="N",
                        help="number of epochs to train (default: 4)")
    parser.add_argument("--lr", type=float, default=1e-3, metavar="LR",
                        help="learning rate (default: 0.001)")
    parser.add_argument("--gamma", type=float, default=0.7, metavar="M",
                        help="learning rate step gamma (default: 0.7)")
    parser.add_argument("--train-size", type=int, default=2000, metavar="N",
                        help="number of training images (default: 2000)")
    parser.add_argument("--no-cuda", action="store_true", default=False,
                        help="disables CUDA training")
    parser.add_argument("--dry-run", action="store_true", default=False,
                        help="quickly check a single pass")
    parser.add_argument("--seed", type=int, default=1, metavar="S",
                        help="random seed (default: 1)")
    parser.add_argument("--log-interval", type=int, default=10, metavar="N",
                        help="how many batches to wait before logging training status")
    parser.add_argument("--save-model", action="store_true", default=False,
                        help="save the model at the end")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    use_cuda = not args.no_cuda and torch.cuda.is_available()
    device = torch.device("cuda" if use_cuda else "cpu")

    train_loader = DataLoader(make_dataset(args.train_size, seed=args.seed),
                              batch_size=args.batch_size, shuffle=True)
    test_loader = DataLoader(make_dataset(500, seed=args.seed + 1),
                             batch_size=args.test_batch_size)

    model = Net().to(device)
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    scheduler = StepLR(optimizer, step_size=1, gamma=args.gamma)

    for epoch in range(1, args.epochs + 1):
        train(args, model, device, train_loader, optimizer, epoch)
        test(model, device, test_loader)
        scheduler.step()

    if args.save_model:
        torch.save(model.state_dict(), "shapes_cnn.pt")


if __name__ == "__main__":
    main()
