import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def main():
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    dataset = TensorDataset(torch.randn(16, 4), torch.randint(0, 2, (16,)))
    model, optimizer, loader = accelerator.prepare(model, optimizer, DataLoader(dataset, 4))
    loss_fn = nn.CrossEntropyLoss()

    for epoch in range(2):
        model.train()
        for inputs, labels in loader:
            with accelerator.accumulate(model):
                outputs = model(inputs)
                loss = loss_fn(outputs, labels)
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
        accelerator.print(f"{epoch}: {loss.item():.5f}")
    return accelerator.unwrap_model(model)


trained = main()
