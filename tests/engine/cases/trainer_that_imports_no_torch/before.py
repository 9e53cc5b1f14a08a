"""A trainer whose networks, optimizers and batches all come from other files of the project."""

from networks import Pix2PixModel, batches


class Pix2PixTrainer:
    def __init__(self, opt):
        self.pix2pix_model = Pix2PixModel(opt)
        self.optimizer_G = self.pix2pix_model.create_optimizer(opt)

    def run_generator_one_step(self, data):
        self.optimizer_G.zero_grad()
        g_losses, generated = self.pix2pix_model(data, mode="generator")
        g_loss = sum(term.mean() for term in g_losses.values())
        g_loss.backward()
        self.optimizer_G.step()
        self.generated = generated

    def update_learning_rate(self, factor):
        for param_group in self.optimizer_G.param_groups:
            param_group["lr"] *= factor


trainer = Pix2PixTrainer({"width": 6, "lr": 0.5})
for data in batches(4):
    trainer.run_generator_one_step(data)
    trainer.update_learning_rate(0.5)
    print(trainer.generated.abs().max().item())
