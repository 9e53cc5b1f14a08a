import torch
import torch.nn as nn

torch.manual_seed(0)


def create_step(model, optimizer, criterion, config):
    accumulation_steps = config.get("accumulation_steps", 1)
    model_output_transform = config.get("model_output_transform", lambda x: x)
    iteration = 0

    def forward_pass(batch):
        model.train()
        x, y = batch
        with torch.autocast("cpu", enabled=False):
            y_pred = model(x)
            y_pred = model_output_transform(y_pred)
            loss = criterion(y_pred, y) / accumulation_steps
        return loss

    def plain_backward_pass(iteration, loss):
        loss.backward()
        if iteration % accumulation_steps == 0:
            optimizer.step()
            optimizer.zero_grad()

    def clipped_backward_pass(iteration, loss):
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        if iteration % accumulation_steps == 0:
            optimizer.step()
            optimizer.zero_grad()

    if config.get("clip"):
        backward_pass = clipped_backward_pass
    else:
        backward_pass = plain_backward_pass

    def training_step(batch):
        nonlocal iteration
        iteration += 1
        loss = forward_pass(batch)
        output = {"supervised batch loss": loss.item()}
        backward_pass(iteration, loss)
        return output

    return training_step


model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
training_step = create_step(
    model, optimizer, nn.MSELoss(), {"accumulation_steps": 2, "clip": True}
)
for _ in range(4):
    print("%.4f" % training_step((torch.randn(3, 4), torch.randn(3, 2)))["supervised batch loss"])
