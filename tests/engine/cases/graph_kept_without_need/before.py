import torch
import torch.nn as nn

torch.manual_seed(0)
BATCH_SIZE, N_IDEAS, ART_COMPONENTS = 4, 3, 5

G = nn.Sequential(nn.Linear(N_IDEAS, 8), nn.ReLU(), nn.Linear(8, ART_COMPONENTS))
D = nn.Sequential(nn.Linear(ART_COMPONENTS, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid())

opt_D = torch.optim.Adam(D.parameters(), lr=0.01)
opt_G = torch.optim.Adam(G.parameters(), lr=0.01)

for step in range(3):
    artist_paintings = torch.randn(BATCH_SIZE, ART_COMPONENTS)
    G_ideas = torch.randn(BATCH_SIZE, N_IDEAS, requires_grad=True)  # random ideas
    G_paintings = G(G_ideas)                    # fake painting from G (random ideas)
    prob_artist1 = D(G_paintings)               # D try to reduce this prob
    G_loss = torch.mean(torch.log(1. - prob_artist1))
    opt_G.zero_grad()
    G_loss.backward()
    opt_G.step()

    prob_artist0 = D(artist_paintings)          # D try to increase this prob
    prob_artist1 = D(G_paintings.detach())      # D try to reduce this prob
    D_loss = - torch.mean(torch.log(prob_artist0) + torch.log(1. - prob_artist1))
    opt_D.zero_grad()
    D_loss.backward(retain_graph=True)          # reusing computational graph
    opt_D.step()
    print('%.5f %.5f' % (prob_artist0.data.numpy().mean(), D_loss.item()))
