"""`ortwrap verify` on public training scripts, unchanged, with generated data.

    python -m benchmarks.public_scripts /work/repos            writes docs/public-scripts.md
    python -m benchmarks.public_scripts /work/repos dcgan ddp  runs these only, writes nothing
    python -m benchmarks.public_scripts /work/repos nlp-tutorial --update    and their rows of it

Each script is copied with its folder, gets the files that it would have downloaded, and is
verified by the command that the table shows. Needs torchvision, accelerate, transformers, datasets,
evaluate and what the scripts import besides; what is missing shows as an error of the script.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "public-scripts.md"
STAND_INS = ROOT / "benchmarks" / "stand_ins"
EXAMPLES = "pytorch+examples"
TORCHRUN = ("--launcher", "torchrun --standalone --nproc_per_node 2")


@dataclass(frozen=True)
class Script:
    """One script and how it is started.

    Attributes:
        folder: where it is started, below the folder of repositories.
        path: its path from there.
        args: its arguments.
        options: further options of verify.
        prepare: makes the files that it would have downloaded, in the folder.
        pictures: how many torchvision's data sets have; some scripts rely on whole batches.
    """

    folder: str
    path: str
    args: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    prepare: Callable[[Path], None] = lambda folder: None
    pictures: int = 256

    @property
    def name(self) -> str:
        """Of the repository and in it."""
        return f"{self.folder}/{self.path}".replace("+", "/", 1)

    def command(self, steps: int) -> list[str]:
        """What a user would type in the folder."""
        own = ["--", *self.args] if self.args else []
        return ["ortwrap", "verify", self.path, "--steps", str(steps), *self.options, *own]


def words(folder: Path) -> None:
    """wikitext-2 comes without its training part."""
    data = folder / "data" / "wikitext-2"
    lines = (data / "valid.txt").read_text(encoding="utf-8").splitlines(keepends=True)[:60]
    for part in ("train", "valid", "test"):
        (data / f"{part}.txt").write_text("".join(lines), encoding="utf-8")


def tokens(folder: Path) -> None:
    """Random tokens for nanoGPT."""
    import numpy

    (folder / "data" / "random").mkdir()
    for part in ("train", "val"):
        made = numpy.random.default_rng(0).integers(0, 500, 5_000).astype(numpy.uint16)
        made.tofile(folder / "data" / "random" / f"{part}.bin")


def sines(folder: Path) -> None:
    """As generate_sine_wave.py makes them, but fewer and shorter."""
    import numpy
    import torch

    start = numpy.random.default_rng(2).integers(-80, 80, 8).reshape(8, 1)
    torch.save(numpy.sin((numpy.arange(30) + start) / 20.0), folder / "traindata.pt")


def photographs(folder: Path) -> None:
    """Named after their breeds, as the Oxford pets are."""
    import numpy
    from PIL import Image

    (folder / "pets").mkdir()
    made = numpy.random.default_rng(0)
    for number in range(80):
        picture = Image.fromarray(made.integers(0, 256, (64, 64, 3)).astype(numpy.uint8))
        picture.save(folder / "pets" / f"breed{number % 4}_{number}.jpg")


def more_photographs(folder: Path) -> None:
    """Where the Berkeley segmentation data set would be unpacked."""
    import numpy
    from PIL import Image

    made = numpy.random.default_rng(0)
    for part in ("train", "test"):
        place = folder / "dataset" / "BSDS300" / "images" / part
        place.mkdir(parents=True)
        for number in range(8):
            pixels = made.integers(0, 256, (260, 260, 3)).astype(numpy.uint8)
            Image.fromarray(pixels).save(place / f"{number}.jpg")


def papers(folder: Path) -> None:
    """Cora comes with its citations only."""
    _contents_of_papers(folder / "data" / "cora")


def other_papers(folder: Path) -> None:
    """As many papers as the script divides, where Cora would be unpacked."""
    import numpy

    made, number = numpy.random.default_rng(0), 2_000
    cites = numpy.stack([numpy.arange(number), made.integers(0, number, number)], axis=1)
    (folder / "cora").mkdir()
    numpy.savetxt(folder / "cora" / "cora.cites", cites, fmt="%d")
    _contents_of_papers(folder / "cora")


def _contents_of_papers(cora: Path) -> None:
    """Random words and a random field for each paper."""
    import numpy

    cited = numpy.genfromtxt(cora / "cora.cites", dtype=int)
    made = numpy.random.default_rng(0)
    lines = (
        " ".join(map(str, [paper, *made.integers(0, 2, 50), f"field{made.integers(7)}"]))
        for paper in numpy.unique(cited)
    )
    (cora / "cora.content").write_text("\n".join(lines), encoding="utf-8")


def sentences(folder: Path) -> None:
    """In place of the Penn Treebank."""
    made = random.Random(0)
    (folder / "data").mkdir(exist_ok=True)
    lines = (" ".join(f"w{made.randrange(50)}" for _ in range(40)) for _ in range(400))
    (folder / "data" / "train.txt").write_text("\n".join(lines), encoding="utf-8")


ACCELERATE = "huggingface+accelerate/examples"
TWO_PROCESSES = ("--launcher", "accelerate launch --cpu --num_processes 2")
TUTORIAL = "yunjey+pytorch-tutorial/tutorials"
GANS = "eriklindernoren+PyTorch-GAN/implementations"
SMALL_GAN = ("--batch_size", "8", "--n_epochs", "1")

SCRIPTS = (
    Script(f"{EXAMPLES}/imagenet", "main.py",
           ("--dummy", "--no-accel", "-a", "resnet18", "-b", "2", "-j", "0", "-p", "1")),
    Script(f"{EXAMPLES}/word_language_model", "main.py",
           ("--emsize", "32", "--nhid", "32", "--batch_size", "4", "--bptt", "8"),
           prepare=words),
    Script(f"{EXAMPLES}/word_language_model", "main.py",
           ("--model", "Transformer", "--emsize", "32", "--nhid", "32", "--batch_size", "4",
            "--bptt", "8", "--use-optimizer", "--lr", "0.001"), prepare=words),
    Script(f"{EXAMPLES}/distributed/ddp-tutorial-series", "multigpu_torchrun.py", ("1", "1"),
           TORCHRUN),
    Script(f"{EXAMPLES}/distributed/ddp-tutorial-series", "single_gpu.py", ("1", "1")),
    Script(f"{EXAMPLES}/dcgan", "main.py",
           ("--dataset", "fake", "--batchSize", "4", "--niter", "1", "--ngf", "8", "--ndf", "8",
            "--workers", "0")),
    Script(f"{EXAMPLES}/time_sequence_prediction", "train.py", ("--steps", "2"), prepare=sines),
    Script(f"{EXAMPLES}/siamese_network", "main.py",
           ("--batch-size", "8", "--epochs", "1", "--no-accel", "--log-interval", "1")),
    Script(f"{EXAMPLES}/mnist", "main.py", ("--batch-size", "8", "--epochs", "1", "--no-accel")),
    Script(f"{EXAMPLES}/mnist_rnn", "main.py", ("--batch-size", "8", "--epochs", "1")),
    Script(f"{EXAMPLES}/vae", "main.py", ("--batch-size", "8", "--epochs", "1", "--no-accel")),
    Script(f"{EXAMPLES}/regression", "main.py"),
    Script("karpathy+minGPT", "projects/adder/adder.py",
           ("--model.model_type=gpt-nano", "--trainer.batch_size=8", "--trainer.num_workers=0"),
           ("--also", "mingpt/trainer.py")),
    Script("karpathy+nanoGPT", "train.py",
           ("--dataset=random", "--device=cpu", "--compile=False", "--dtype=float32",
            "--eval_iters=1", "--n_layer=2", "--n_head=2", "--n_embd=32", "--block_size=16",
            "--batch_size=4", "--gradient_accumulation_steps=2"), prepare=tokens),
    Script(f"{EXAMPLES}/mnist_hogwild", "main.py",
           ("--batch-size", "8", "--epochs", "1", "--num-processes", "2"),
           ("--also", "train.py")),
    Script(f"{EXAMPLES}/mnist_forward_forward", "main.py",
           ("--epochs", "3", "--train_size", "64", "--test_size", "16", "--no_accel")),
    Script(f"{EXAMPLES}/super_resolution", "main.py",
           ("--upscale_factor", "4", "--batchSize", "2", "--nEpochs", "1", "--threads", "0"),
           prepare=more_photographs),
    Script(ACCELERATE, "cv_example.py", ("--cpu", "--data_dir", "pets"),
           ("--launcher", "accelerate launch --cpu --num_processes 1"), prepare=photographs),
    Script(ACCELERATE, "nlp_example.py", ("--cpu",)),
    Script(ACCELERATE, "complete_nlp_example.py", ("--cpu",)),
    *(Script(f"{ACCELERATE}/by_feature", name, ("--cpu",)) for name in (
        "automatic_gradient_accumulation.py", "checkpointing.py", "cross_validation.py",
        "early_stopping.py", "gradient_accumulation.py",
        "gradient_accumulation_for_autoregressive_models.py", "memory.py",
        "multi_process_metrics.py", "profiler.py", "schedule_free.py", "tracking.py")),
    *(Script(f"{ACCELERATE}/by_feature", name, ("--cpu",), TWO_PROCESSES) for name in (
        "ddp_comm_hook.py", "local_sgd.py")),
    *(Script(f"graykode+nlp-tutorial/{folder}", name) for folder, name in (
        ("1-1.NNLM", "NNLM.py"),
        ("1-2.Word2Vec", "Word2Vec-Skipgram(Softmax).py"),
        ("2-1.TextCNN", "TextCNN.py"),
        ("3-1.TextRNN", "TextRNN.py"),
        ("3-2.TextLSTM", "TextLSTM.py"),
        ("3-3.Bi-LSTM", "Bi-LSTM.py"),
        ("4-1.Seq2Seq", "Seq2Seq.py"),
        ("4-2.Seq2Seq(Attention)", "Seq2Seq(Attention).py"),
        ("4-3.Bi-LSTM(Attention)", "Bi-LSTM(Attention).py"),
        ("5-1.Transformer", "Transformer.py"),
        ("5-1.Transformer", "Transformer(Greedy_decoder).py"),
        ("5-2.BERT", "BERT.py"))),
    *(Script(f"{TUTORIAL}/{folder}", "main.py") for folder in (
        "01-basics/linear_regression",
        "01-basics/logistic_regression",
        "01-basics/feedforward_neural_network",
        "02-intermediate/bidirectional_recurrent_neural_network",
        "02-intermediate/convolutional_neural_network",
        "02-intermediate/recurrent_neural_network",
        "03-advanced/variational_autoencoder")),
    Script(f"{TUTORIAL}/03-advanced/generative_adversarial_network", "main.py", pictures=300),
    Script(f"{TUTORIAL}/02-intermediate/language_model", "main.py", prepare=sentences),
    Script(f"{TUTORIAL}/02-intermediate/deep_residual_network", "main.py"),
    *(Script(f"{GANS}/{name}", f"{name}.py", SMALL_GAN) for name in (
        "gan", "lsgan", "cgan", "wgan", "aae", "acgan", "began", "bgan", "dcgan", "dragan",
        "ebgan", "infogan", "relativistic_gan", "sgan", "softmax_gan", "wgan_gp")),
    Script("locuslab+TCN", "TCN/adding_problem/add_test.py",
           ("--seq_len", "40", "--levels", "3", "--batch_size", "8")),
    Script("locuslab+TCN", "TCN/copy_memory/copymem_test.py",
           ("--blank_len", "40", "--levels", "3", "--batch_size", "8")),
    Script("locuslab+TCN", "TCN/mnist_pixel/pmnist_test.py",
           ("--cuda", "--levels", "3", "--batch_size", "4", "--epochs", "1")),
    Script(f"{EXAMPLES}/gat", "main.py",
           ("--epochs", "8", "--num-heads", "2", "--hidden-dim", "8", "--no-accel"),
           prepare=other_papers),
    Script("victoresque+pytorch-template", "train.py", ("-c", "config.json"),
           ("--also", "trainer/trainer.py")),
    Script("znxlwm+pytorch-generative-model-collections", "main.py",
           ("--dataset", "cifar10", "--epoch", "1", "--batch_size", "8"), ("--also", "GAN.py")),
    Script("Diego999+pyGAT", "train.py", ("--hidden", "2", "--nb_heads", "2"), prepare=papers),
    *(Script("MorvanZhou+PyTorch-Tutorial/tutorial-contents", name) for name in (
        "301_regression.py", "302_classification.py", "304_save_reload.py", "305_batch_train.py",
        "306_optimizer.py", "401_CNN.py", "402_RNN_classifier.py", "403_RNN_regressor.py",
        "404_autoencoder.py", "406_GAN.py", "406_conditional_GAN.py",
        "501_why_torch_dynamic_graph.py", "502_GPU.py", "503_dropout.py",
        "504_batch_normalization.py")),
)  # fmt: skip

HEAD = """\
# Public scripts, verified

Written by `python -m benchmarks.public_scripts REPOSITORIES`: scripts of public repositories, run
as they are, with generated data in place of downloads and the processor in place of GPUs
(benchmarks/stand_ins). `loss` and `parameter` are the largest differences of {steps} steps;
*rounding* marks a match that is over the plain tolerance and within what the original differs
from itself when its weights are nudged by rounding error.

| script | verdict | loss | parameter | ran on |
|---|---|---:|---:|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("repositories", type=Path, help="folder with checkouts, OWNER+NAME each")
    parser.add_argument("only", nargs="*", help="parts of the names of those to run")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--update", action="store_true", help="write the rows of those that ran")
    chosen = parser.parse_args()
    scripts = [s for s in SCRIPTS if not chosen.only or any(n in s.name for n in chosen.only)]
    known = known_rows(PAGE) if chosen.only else {}
    for script in scripts:
        found, verdict = verified(script, chosen.repositories, chosen.steps)
        known[command_of(script, chosen.steps)] = row(script, verdict)
        print(row(script, verdict), flush=True)
        if verdict is None or verdict["status"] != "match":
            print(found, file=sys.stderr, flush=True)
        if chosen.update or not chosen.only:
            PAGE.write_text(page(known, chosen.steps), encoding="utf-8")


def command_of(script: Script, steps: int) -> str:
    """How a script is verified, and where: no two are alike."""
    return f"{shlex.join(script.command(steps))}    # in {script.folder}"


def known_rows(path: Path) -> dict[str, str]:
    """The rows of a page by their commands, which stand below them in the same order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("| ")][1:]
    commands = [line.strip() for line in lines if line.startswith("    ortwrap verify ")]
    return dict(zip(commands, table))


def verified(script: Script, repositories: Path, steps: int) -> tuple[str, dict[str, Any] | None]:
    """What verify says, and its verdict as JSON; None where it gave none."""
    with tempfile.TemporaryDirectory(prefix="public-") as place:
        folder = Path(place, "copy")
        shutil.copytree(repositories / script.folder, folder)
        script.prepare(folder)
        answer = Path(place, "verdict.json")
        _, *arguments = script.command(steps)
        command = [sys.executable, "-m", "ortwrap", *arguments]
        command[4:4] = ["--json", str(answer)]
        path = [str(STAND_INS), str(folder), os.environ.get("PYTHONPATH", "")]
        ran = subprocess.run(
            command,
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, path)),
                "PICTURES": str(script.pictures),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        verdict = json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else None
        return f"{ran.stdout}{ran.stderr}", verdict


def row(script: Script, verdict: dict[str, Any] | None) -> str:
    """A line of the table."""
    if verdict is None or verdict["status"] == "error":
        why = verdict["messages"][-1] if verdict else "verify gave no answer"
        return f"| {script.name} | not verified: {' '.join(why.split())} | | | |"
    rounding = ", rounding" if verdict["within_noise"] else ""
    where = verdict["ran_on"]
    reasons = "" if where == "ort" else f": {'; '.join(verdict['reasons'])}"
    numbers = (verdict["max_loss_diff"], verdict["max_param_diff"])
    shown = " | ".join("" if each is None else f"{each:.1e}" for each in numbers)
    return f"| {script.name} | {verdict['status']}{rounding} | {shown} | {where}{reasons} |"


def page(known: dict[str, str], steps: int) -> str:
    """The whole page: the table, and below it how each script was started."""
    commands = [command_of(script, steps) for script in SCRIPTS]
    commands = [command for command in commands if command in known]
    table = "\n".join(known[command] for command in commands)
    listed = "\n".join(f"    {command}" for command in commands)
    return f"{HEAD.format(steps=steps)}{table}\n\n## The commands\n\n{listed}\n"


if __name__ == "__main__":
    main()
