"""Budgets: by hand, and under memory that runs out."""

import logging
from contextlib import contextmanager

import pytest
import torch

from kdgat.errors import KdgatError
from kdgat.parameters import BatchSizeChange, Teacher
from kdgat.training import processes
from kdgat.training.batch_size import BY_GRAPHS, GraphSizes, Sizer, settled
from kdgat.training.checkpoints import RunMemory, remembering
from kdgat.training.classifier import ClassifierTask, train_classifier
from kdgat.training.memory import CpuMemory, Unwatched, is_out_of_memory
from kdgat.training.report import LOGGER

SIZES = GraphSizes(graphs=96, nodes=576, edges=960)


def sizer(batch_size, **changes) -> Sizer:
    return Sizer(batch_size.model_copy(update=changes), SIZES, stage="teacher")


def test_fixed_counts_graphs_until_memory_runs_out(batch_size):
    fixed = sizer(batch_size)
    fixed.begin_epoch(0)
    assert (fixed.nodes, fixed.limit.graphs) == (BY_GRAPHS, 16)
    fixed.batch_done()
    fixed.halve(nodes=96, graphs=16)
    assert (fixed.limit.graphs, fixed.limit.nodes, fixed.limit.edges) == (None, 48, 80)
    fixed.batch_done()
    assert fixed.used == [[0, BY_GRAPHS], [1, 48]]
    assert fixed.adapt(peak=1, fixed=0, memory=100) == 1.0


def test_others_begin_with_what_as_many_mean_graphs_hold(batch_size):
    assert sizer(batch_size, mode="adaptive").limit.nodes == 16 * 6
    settings = batch_size.model_copy(update={"mode": "adaptive"})
    assert Sizer(settings, SIZES, stage="teacher", start=200).nodes == 200


@pytest.mark.parametrize(
    ("momentum", "peak", "after"),
    [
        (0.0, 60, 175),  # (0.8 * 100 - 10) / (60 - 10) = 1.4
        (0.5, 60, 148),  # 1.4 ** 0.5
        (0.0, 20, 250),  # 7 times: at most twice
        (0.0, 95, 103),  # 70 / 85
    ],
)
def test_an_epoch_moves_toward_the_target(batch_size, momentum, peak, after):
    adaptive = sizer(batch_size, mode="adaptive", momentum=momentum)
    adaptive.nodes = 125
    factor = adaptive.adapt(peak=peak, fixed=10, memory=100)
    assert adaptive.nodes == after
    assert factor == pytest.approx(after / 125)


def test_bounds_and_what_has_failed(batch_size):
    adaptive = sizer(batch_size, mode="adaptive", momentum=0.0, largest=100, smallest=40)
    adaptive.begin_epoch(0)
    adaptive.adapt(peak=20, fixed=0, memory=100)
    assert adaptive.nodes == 100
    adaptive.halve(nodes=99, graphs=16)
    assert adaptive.nodes == 49
    adaptive.adapt(peak=10, fixed=0, memory=100)
    assert adaptive.nodes == 89, "nine tenths of what has failed"
    adaptive.adapt(peak=100, fixed=70, memory=100)
    assert adaptive.nodes == 44
    with pytest.raises(KdgatError, match="may not fall below 40 nodes"):
        adaptive.halve(nodes=44, graphs=7)


@pytest.mark.parametrize("most", [100, 137, 600, 50])
def test_a_search_ends_close_below_what_fits(batch_size, most):
    search = sizer(batch_size, mode="binary_search", trials=12)
    search.search(lambda: search.nodes <= most)
    assert 0.9 * min(most, SIZES.nodes) <= search.nodes <= most


def test_a_search_in_which_nothing_fits_is_an_error(batch_size):
    search = sizer(batch_size, mode="binary_search")
    with pytest.raises(KdgatError, match="no batch fits into memory"):
        search.search(lambda: False)


def test_the_learning_rate_follows_if_told(batch_size):
    assert sizer(batch_size, mode="adaptive").learning_rate_factor == 1.0
    scaled = sizer(batch_size, mode="adaptive", scale_learning_rate=True)
    scaled.nodes = 3 * 96
    assert scaled.learning_rate_factor == pytest.approx(3.0)


def test_the_reported_learning_rate_is_scaled_too(train_it):
    last = []
    for scaled in (False, True):
        memory = CpuMemory(torch.nn.Linear(1, 1), total=250_000)
        _, epochs, _ = train_it(memory, mode="adaptive", scale_learning_rate=scaled)
        last.append(epochs[-1].metrics)
    plain, scaled = last
    assert scaled["batch_budget"] == plain["batch_budget"] != 96
    factor = scaled["batch_budget"] / 96  # nodes of the configured batch
    assert scaled["learning_rate"] == pytest.approx(factor * plain["learning_rate"])


def test_modes_and_datasets_lie_over_one_another(batch_size):
    settings = batch_size.model_copy(
        update={
            "by_mode": {
                "curriculum": BatchSizeChange(graphs=8),
                "distillation": BatchSizeChange(graphs=4, target=0.5),
            },
            "by_dataset": {"hcrl_sa": BatchSizeChange(target=0.6)},
        }
    )
    plain = settled(settings, modes=["normal"], dataset="synthetic")
    assert (plain.graphs, plain.target) == (16, 0.8)
    both = settled(settings, modes=["curriculum", "distillation"], dataset="hcrl_sa")
    assert (both.graphs, both.target) == (4, 0.6)
    assert (both.by_mode, both.by_dataset) == ({}, {})


class Faulty(Unwatched):
    """Runs out of memory at some steps, by number; counts all of them."""

    def __init__(self, *failing: int):
        self.failing = failing
        self.steps = 0

    @contextmanager
    def watched(self):
        step, self.steps = self.steps, self.steps + 1
        if step not in self.failing:
            yield
            return
        yield  # it fails late, when random numbers have been drawn
        raise torch.OutOfMemoryError(f"step {step}")


@pytest.fixture
def train_it(
    train, validation, scaling, classifier_model, curriculum, compute, fit, monkeypatch, caplog
):
    """Train a classifier under a memory; give its weights, its epochs, the graphs it has seen."""

    def train_it(memory=None, **changes):
        if memory is not None:
            monkeypatch.setattr(processes, "memory_of", lambda *_, **__: memory)
        epochs, seen, handler = [], [], logging.Handler(logging.DEBUG)
        handler.emit = lambda record: hasattr(record, "epoch") and epochs.append(record)
        LOGGER.addHandler(handler)
        caplog.set_level(logging.DEBUG, logger=LOGGER.name)
        original = ClassifierTask.training_loss

        def training_loss(self, batch):
            seen.append(batch.num_graphs)
            return original(self, batch)

        monkeypatch.setattr(ClassifierTask, "training_loss", training_loss)
        batch_size = fit.batch_size.model_copy(update=changes)
        try:
            artifact, _ = train_classifier(
                train=train,
                validation=validation,
                scaling=scaling,
                autoencoder=None,
                parameters=Teacher(
                    mode="normal",
                    id_dropout=0.3,
                    model=classifier_model,
                    fit=fit.model_copy(update={"batch_size": batch_size, "epochs": 2}),
                    curriculum=curriculum,
                ),
                compute=compute,
                seed=1,
            )
        finally:
            LOGGER.removeHandler(handler)
            monkeypatch.setattr(ClassifierTask, "training_loss", original)
        return artifact.state, epochs, seen

    return train_it


def equal(one: dict, other: dict) -> bool:
    return all(torch.equal(tensor, other[name]) for name, tensor in one.items())


# An epoch has six training batches of 16 graphs and four of validation.
@pytest.mark.parametrize(
    ("failing", "batches"),
    [
        ((0,), [16] + [8] * 12),
        ((3,), [16, 16, 16, 16] + [8] * 6),
        ((5,), [16] * 5 + [16, 8, 8]),
        ((3, 4), [16, 16, 16, 16, 8] + [4] * 12),
    ],
    ids=["first", "middle", "last", "twice in a row"],
)
def test_a_batch_that_does_not_fit_comes_again_in_halves(train_it, failing, batches):
    weights, epochs, seen = train_it(Faulty(*failing))
    assert seen[: len(batches)] == batches
    done = [size for place, size in enumerate(seen[: len(batches)]) if place not in failing]
    assert sum(done) == 96, "every graph once"
    repeated, _, _ = train_it(Faulty(), replay=[record.used for record in epochs])
    assert equal(weights, repeated), "as if the sizes had been known beforehand"


def test_a_validation_batch_that_does_not_fit_comes_again_too(train_it):
    weights, epochs, seen = train_it(Faulty(7))
    plain, plain_epochs, _ = train_it(Faulty())
    assert seen[:6] == [16] * 6
    assert epochs[0].metrics["val_f1"] == plain_epochs[0].metrics["val_f1"]
    assert epochs[0].metrics["val_loss"] == pytest.approx(plain_epochs[0].metrics["val_loss"])
    assert seen[6:] == [8] * 12, "the budget stays where it is"
    repeated, _, _ = train_it(Faulty(), replay=[record.used for record in epochs])
    assert equal(weights, repeated)
    assert not equal(weights, plain)


def test_no_memory_for_the_least_batch_is_an_error(train_it):
    with pytest.raises(KdgatError, match=r"out of memory with a batch of 2 graphs and 12 nodes"):
        train_it(Faulty(*range(20)), smallest=8)


def test_other_errors_rise(train_it):
    class Broken(Unwatched):
        @contextmanager
        def watched(self):
            raise RuntimeError("shapes do not fit")
            yield

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        train_it(Broken())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"))


def test_memory_on_a_cpu_is_what_autograd_keeps():
    model = torch.nn.Linear(10, 10, bias=False)
    memory = CpuMemory(model, total=10_000)
    assert memory.fixed == 4 * 400
    x = torch.zeros(50, 10, requires_grad=True)
    with memory.watched():
        (model(x).relu() ** 2).sum()
    # the input, the weights, the output of relu (kept by relu and by the square)
    assert memory.peak == memory.fixed + 2000 + 400 + 2000
    memory.reset()
    with pytest.raises(torch.OutOfMemoryError), memory.watched():
        model(torch.zeros(250, 10, requires_grad=True)).relu()
    assert memory.peak == 10_000


def test_adaptive_settles_at_its_target_and_begins_there_next_time(train_it):
    budgets = []
    total = 250_000

    def memory():
        return CpuMemory(torch.nn.Linear(1, 1), total=total)

    for start in (None, 1):
        asked = []

        def last_budget(stage, kind, start=start, asked=asked):
            asked.append((stage, kind))
            return start and budgets[-1]

        with remembering(RunMemory(dataset="synthetic", last_budget=last_budget)):
            _, epochs, _ = train_it(memory(), mode="adaptive", momentum=0.0)
        assert asked[0][0] == "teacher"
        assert asked[0][1].startswith("cpu, ")
        budgets.append(int(epochs[-1].metrics["batch_budget"]))
        if start:
            assert epochs[0].metrics["batch_budget"] == budgets[0]
            assert epochs[0].metrics["batch_memory"] == pytest.approx(0.8 * total, rel=0.1)


def test_a_search_comes_before_the_first_epoch(train_it):
    memory = CpuMemory(torch.nn.Linear(1, 1), total=250_000)
    _, epochs, seen = train_it(memory, mode="binary_search")
    budgets = [record.metrics["batch_budget"] for record in epochs]
    assert budgets[0] == budgets[1], "and then it stays"
    assert 0.7 * 250_000 < epochs[0].metrics["batch_memory"] <= 0.8 * 250_000 * 1.01
    assert sum(seen) > 2 * 96, "tries count no epoch"
