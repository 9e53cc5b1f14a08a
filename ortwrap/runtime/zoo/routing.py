"""Models that send rows to where their data say: experts, and neighbours in a graph."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .model import Batch, Model, Tokens, Update, batch_size
from .sequences import WORDS, sentences


class Experts(nn.Module):
    """Mixtral's layer: each token goes through the two experts that the router prefers."""

    def __init__(self, width: int, experts: int = 4) -> None:
        super().__init__()
        self.router = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
            for _ in range(experts)
        )

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        weights, chosen = torch.topk(F.softmax(self.router(rows), dim=-1), 2, dim=-1)
        weights = weights / weights.sum(dim=-1, keepdim=True)
        routed = F.one_hot(chosen, len(self.experts)).permute(2, 1, 0)
        result = torch.zeros_like(rows)
        for index, expert in enumerate(self.experts):
            place, row = torch.where(routed[index])
            result.index_add_(0, row, expert(rows[row]) * weights[row, place, None])
        return result.reshape(x.shape)


class MixtureOfExperts(nn.Module):
    """A language model of two such layers behind convolutions over the words before."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, width)
        self.mixing = nn.ModuleList(nn.Conv1d(width, width, 3) for _ in range(2))
        self.experts = nn.ModuleList(Experts(width) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.head = nn.Linear(width, WORDS)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        for index, (mixing, experts) in enumerate(zip(self.mixing, self.experts)):
            before = F.pad(self.norms[2 * index](x).transpose(1, 2), (2, 0))
            x = x + mixing(before).transpose(1, 2)
            x = x + experts(self.norms[2 * index + 1](x))
        return self.head(x)  # type: ignore[no-any-return]


class MessagePassing(nn.Module):
    """A layer over a graph: each node adds what the edges that end in it bring."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.message = nn.Sequential(
            nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, width)
        )
        self.update = nn.GRUCell(width, width)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        source, target = edges
        messages = self.message(torch.cat([x[source], x[target]], dim=1))
        gathered = torch.zeros_like(x).index_add(0, target, messages)
        return self.update(gathered, x)  # type: ignore[no-any-return]


class Attention(nn.Module):
    """A layer of GAT: edges are weighed by a softmax over those that end in the same node."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, width, bias=False)
        self.from_source, self.from_target = nn.Linear(width, 1), nn.Linear(width, 1)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        source, target = edges[0], edges[1]
        h = self.project(x)
        scores = F.leaky_relu(self.from_source(h)[source] + self.from_target(h)[target], 0.2)
        weights = torch.exp(scores - scores.max())
        sums = torch.zeros(x.shape[0], 1, dtype=x.dtype).scatter_add(0, target[:, None], weights)
        weighted = h[source] * weights / (sums[target] + 1e-16)
        places = target[:, None].expand(-1, h.shape[1])
        return F.elu(torch.zeros_like(h).scatter_add(0, places, weighted))


class GraphClassifier(nn.Module):
    """Classifies small graphs, several of them as one: nodes are averaged by graph."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.inside = nn.Linear(5, width)
        self.passing, self.attention = MessagePassing(width), Attention(width)
        self.head = nn.Linear(width, 3)

    def forward(self, nodes: Tensor, edges: Tensor, graph: Tensor, graphs: int) -> Tensor:
        x = self.attention(self.passing(F.relu(self.inside(nodes)), edges), edges)
        sums = torch.zeros(graphs, x.shape[1], dtype=x.dtype).index_add_(0, graph, x)
        counts = torch.zeros(graphs, dtype=x.dtype).index_add_(0, graph, torch.ones_like(x[:, 0]))
        return self.head(sums / counts.clamp(min=1)[:, None])  # type: ignore[no-any-return]


class ClassifiedGraphs(nn.Module):
    """Cross entropy of what the model says of each graph."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, nodes: Tensor, edges: Tensor, graph: Tensor, target: Tensor) -> Any:
        return self.criterion(self.model(nodes, edges, graph, target.shape[0]), target)


def _graphs(step: int) -> Batch:
    graphs, each = batch_size(step), 6
    graph = torch.arange(graphs).repeat_interleave(each)
    edges = torch.randint(0, each, (2, 10 * graphs)) + each * torch.arange(graphs).repeat(10)
    return torch.randn(graphs * each, 5), edges, graph, torch.randint(0, 3, (graphs,))


MODELS = (
    Model("mixture of experts", MixtureOfExperts, sentences, (Update(Tokens),)),
    Model("graph network", GraphClassifier, _graphs, (Update(ClassifiedGraphs),)),
)
