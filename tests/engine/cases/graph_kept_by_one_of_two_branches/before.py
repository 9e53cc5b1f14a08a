"""A critic of real and of generated samples, whose losses are added once both have run backward."""
import argparse
import torch
import torch.nn as nn

torch.manual_seed(0)
parser = argparse.ArgumentParser()
parser.add_argument("--amp", action="store_true")
args = parser.parse_args([])

generator = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4))
critic = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
criterion = nn.BCEWithLogitsLoss()
g_optimizer = torch.optim.SGD(generator.parameters(), lr=0.1)
d_optimizer = torch.optim.SGD(critic.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu", enabled=args.amp)

for step in range(3):
    d_optimizer.zero_grad()
    real = torch.randn(5, 4)
    loss_real = criterion(critic(real), torch.ones(5, 1))
    if args.amp:
        scaler.scale(loss_real).backward(retain_graph=True)
    else:
        loss_real.backward(retain_graph=True)

    fake = generator(torch.randn(5, 3))
    loss_fake = criterion(critic(fake), torch.zeros(5, 1))
    loss_fake.backward(retain_graph=True)
    d_loss = loss_real + loss_fake
    d_optimizer.step()

    g_optimizer.zero_grad()
    g_loss = criterion(critic(fake), torch.ones(5, 1))
    g_loss.backward()
    g_optimizer.step()
    print("%.5f %.5f" % (d_loss.item(), g_loss.item()))
