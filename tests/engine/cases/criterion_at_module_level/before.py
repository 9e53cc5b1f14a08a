"""Linear regression, everything at module level."""
import torch
import torch.nn as nn

torch.manual_seed(0)
x_train = torch.randn(16, 3)
y_train = x_train @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.1

model = nn.Linear(3, 1)

# Loss and optimizer
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(4):
    # Forward pass
    outputs = model(x_train)
    loss = criterion(outputs, y_train)

    # Backward and optimize
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

    print("Epoch [{}/{}], Loss: {:.5f}".format(epoch + 1, 4, loss.item()))

predicted = model(x_train).detach()
print(f"error {(predicted - y_train).abs().mean():.5f}")
