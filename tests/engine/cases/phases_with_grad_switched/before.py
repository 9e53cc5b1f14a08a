"""torchvision's transfer learning tutorial"""
import torch
from torch import nn

torch.manual_seed(0)
dataloaders = {
    phase: [(torch.randn(4, 5), torch.randint(0, 2, (4,))) for _ in range(2)]
    for phase in ["train", "val"]
}


def train_model(model, criterion, optimizer, num_epochs=2):
    for epoch in range(num_epochs):
        # Each epoch has a training and validation phase
        for phase in ['train', 'val']:
            if phase == 'train':
                model.train()  # Set model to training mode
            else:
                model.eval()   # Set model to evaluate mode

            running_loss = 0.0
            running_corrects = 0
            for inputs, labels in dataloaders[phase]:
                optimizer.zero_grad()

                # track history if only in train
                with torch.set_grad_enabled(phase == 'train'):
                    outputs = model(inputs)
                    _, preds = torch.max(outputs, 1)
                    loss = criterion(outputs, labels)

                    # backward + optimize only if in training phase
                    if phase == 'train':
                        loss.backward()
                        optimizer.step()

                running_loss += loss.item() * inputs.size(0)
                running_corrects += torch.sum(preds == labels.data)
            print(f'{phase} Loss: {running_loss:.5f} Acc: {running_corrects.item()}')
    return model


model_ft = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))
train_model(model_ft, nn.CrossEntropyLoss(), torch.optim.SGD(model_ft.parameters(), lr=0.1))
