import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


class Accelerator:
    gradient_accumulation_steps = 2

    def backward(self, loss):
        loss = loss / self.gradient_accumulation_steps
        loss.backward()


def step_model(model, input, target, accelerator, do_backward=True):
    model.train()
    output = model(input)
    loss = F.mse_loss(output, target.to(output.device))
    if not do_backward:
        loss /= accelerator.gradient_accumulation_steps
        loss.backward()
    else:
        accelerator.backward(loss)


accelerator = Accelerator()
for i in range(4):
    step_model(model, torch.randn(3, 4), torch.randn(3, 2), accelerator, do_backward=i % 2 == 0)
    if i % 2:
        optimizer.step()
        optimizer.zero_grad()
