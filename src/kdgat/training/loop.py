"""Epochs: steps that repeat what did not fit, validation, the best weights, checkpoints."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field

import torch
from lightning.fabric import Fabric
from torch import Tensor
from torch_geometric.data import Batch

from kdgat.can.graph_store import GraphStore
from kdgat.can.loading import loader
from kdgat.can.samplers import AdjustableBatches
from kdgat.training.batch_size import BY_GRAPHS, Sizer
from kdgat.training.checkpoints import Checkpoint, State, random_state, set_random_state
from kdgat.training.curriculum import EpochSampler
from kdgat.training.memory import Memory, free_memory, is_out_of_memory
from kdgat.training.report import StageReport
from kdgat.training.task import GraphTask


@dataclass
class Best:
    """The epoch with the least validation loss so far, and its weights."""

    epoch: int = -1
    loss: float = math.inf
    weights: dict[str, Tensor] = field(default_factory=dict)


class Loop:
    """Trains a task, epoch after epoch.

    Several processes go through the same batches, each with its share of the graphs of every
    batch; gradients are averaged by the number of graphs, so that together they take the steps
    that one process would, where a loss is a mean over windows (docs/training.md).

    Args:
        task: model and losses, on the device.
        fabric: device, precision, processes.
        train: training windows.
        validation: windows whose loss chooses the best epoch.
        sampler: which training windows each epoch sees.
        sizer: how large batches are.
        memory: what batches take.
    """

    def __init__(
        self,
        task: GraphTask,
        *,
        fabric: Fabric,
        train: GraphStore,
        validation: GraphStore,
        sampler: EpochSampler,
        sizer: Sizer,
        memory: Memory,
    ) -> None:
        self.task = task
        self.fabric = fabric
        self.train = train
        self.validation = validation
        self.sampler = sampler
        self.sizer = sizer
        self.memory = memory
        self.best = Best()
        self.steps_per_epoch = -(-len(sampler) // task.fit.batch_size.graphs)
        optimizer, self.schedule = task.optimizer(task.fit.epochs * self.steps_per_epoch)
        self.optimizer = fabric.setup_optimizers(optimizer)

    def run(self, report: StageReport, checkpoint: Checkpoint) -> None:
        """Train from where the checkpoint stands to the last epoch, or until patience ends."""
        state = checkpoint.load()
        if state is not None:
            self._go_on(state, report)
        elif self.sizer.is_to_search:
            self.sizer.search(self._fits)
        while not self._is_over(len(report.epochs_done)):
            epoch = len(report.epochs_done)
            self.memory.reset()
            self.sizer.begin_epoch(epoch)
            metrics = self._train(epoch) | self._validate()
            report.measure(epoch, metrics | self._adapt(), self.sizer.used)
            self._keep_best(epoch, metrics["val_loss"])
            checkpoint.save(self._state(report))
            report.announce()

    def _is_over(self, epochs_done: int) -> bool:
        if epochs_done == 0:
            return False
        waited = epochs_done - 1 - max(self.best.epoch, self.sampler.full_epoch)
        return epochs_done >= self.task.fit.epochs or waited >= self.task.fit.patience

    def _train(self, epoch: int) -> dict[str, float]:
        self.task.train()
        self.sampler.set_epoch(epoch)
        batches = self._batches(self.train, list(self.sampler))
        total, nodes, count = torch.zeros((), device=self.fabric.device), 0, 0
        for loss in self._repeating(batches, self.train, self._descend_on):
            self._step(epoch, batches)
            total = total + loss * batches.own_graphs
            nodes, count = nodes + batches.num_nodes, count + 1
        return {
            "train_loss": self._sum(total) / batches.seen,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "batch_graphs": batches.seen / count,
            "batch_nodes": nodes / count,
        }

    def _validate(self) -> dict[str, float]:
        self.task.eval()
        self.task.decisions.zero_()
        batches = self._batches(self.validation, range(len(self.validation)))
        total = torch.zeros((), device=self.fabric.device)
        with torch.inference_mode():
            for loss in self._repeating(batches, self.validation, self._look_at):
                total = total + loss * batches.own_graphs
        decisions = self._all_reduced(self.task.decisions.clone(), "sum")
        return {
            "val_loss": self._sum(total) / batches.seen,
            **self.task.decision_metrics(decisions),
        }

    def _repeating(
        self,
        batches: AdjustableBatches,
        store: GraphStore,
        take: Callable[[Batch, AdjustableBatches], Tensor],
    ) -> Iterator[Tensor]:
        """Take every batch of an epoch; one that does not fit comes again in halves."""
        for batch in loader(store, batch_sampler=batches):
            before, decisions = self._torch_random_state(), self.task.decisions.clone()
            loss = self._attempt(batch, batches, take)
            if loss is None:
                self._set_torch_random_state(before)
                self.task.decisions.copy_(decisions)
                self.sizer.halve(nodes=batches.num_nodes, graphs=len(batches.last))
                batches.put_back()
                continue
            yield loss
            self.sizer.batch_done()

    def _attempt(
        self,
        batch: Batch,
        batches: AdjustableBatches,
        take: Callable[[Batch, AdjustableBatches], Tensor],
    ) -> Tensor | None:
        """Take a batch; None if it does not fit into the memory of any of the processes."""
        loss = None
        try:
            with self.memory.watched(), self.fabric.autocast():
                loss = take(self.fabric.to_device(batch), batches)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            loss = None
        failed = self._all_reduced(torch.tensor(float(loss is None)), "sum")
        if failed == 0:
            return loss
        del loss, batch
        self.optimizer.zero_grad()
        free_memory(self.fabric.device)
        return None

    def _descend_on(self, batch: Batch, batches: AdjustableBatches) -> Tensor:
        loss = self.task.training_loss(batch)
        self.optimizer.zero_grad()
        share = batches.own_graphs * self.fabric.world_size / len(batches.last)
        self.fabric.backward(loss * share)
        return loss.detach()

    def _look_at(self, batch: Batch, batches: AdjustableBatches) -> Tensor:
        decisions = self.task.decisions.clone()
        loss = self.task.validation_loss(batch)
        if batches.own_graphs == 0:  # it took a graph of another process
            self.task.decisions.copy_(decisions)
        return loss

    def _step(self, epoch: int, batches: AdjustableBatches) -> None:
        """Clip, step, and move along the schedule, whatever the size of the batch was."""
        if self.fabric.world_size > 1:
            self._average_gradients()
        self.fabric.clip_gradients(
            self.task,
            self.optimizer,
            max_norm=self.task.fit.gradient_clip,
            error_if_nonfinite=False,
        )
        self.optimizer.step()
        if self.sizer.nodes != BY_GRAPHS:  # batches differ in size: go by the windows seen
            seen = epoch + batches.seen / len(self.sampler)
            self.schedule.last_epoch = seen * self.steps_per_epoch - 1
        self.schedule.step()
        factor = self.sizer.learning_rate_factor
        if factor != 1.0:
            for group in self.optimizer.param_groups:
                group["lr"] *= factor

    def _average_gradients(self) -> None:
        gradients = [p.grad for p in self.task.parameters() if p.grad is not None]
        joined = self._all_reduced(torch.cat([g.flatten() for g in gradients]), "mean")
        parts = joined.split([g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def _fits(self) -> bool:
        """Try a batch of the present limit, without a step."""
        self.task.train()
        self.sampler.set_epoch(0)
        batches = self._batches(self.train, list(self.sampler))
        batch = self.train.batch(next(iter(batches)))
        before = self._torch_random_state()
        self.memory.reset()
        fits = self._attempt(batch, batches, self._descend_on) is not None
        self.optimizer.zero_grad()
        self._set_torch_random_state(before)
        return fits and self._peak() <= self.sizer.settings.target * self.memory.total

    def _adapt(self) -> dict[str, float]:
        if self.sizer.nodes == BY_GRAPHS:
            return {}
        budget, peak = self.sizer.nodes, self._peak()
        factor = self.sizer.adapt(peak=peak, fixed=self.memory.fixed, memory=self.memory.total)
        return {
            "batch_budget": budget,
            "batch_memory": peak,
            "batch_target": self.sizer.settings.target * self.memory.total,
            "batch_factor": factor,
        }

    def _keep_best(self, epoch: int, loss: float) -> None:
        if loss < self.best.loss:
            weights = self.task.model.state_dict()
            self.best = Best(epoch, loss, {k: v.detach().clone() for k, v in weights.items()})

    def _state(self, report: StageReport) -> State:
        own = random_state()
        states = [own]
        if self.fabric.world_size > 1:
            states = [own] * self.fabric.world_size
            torch.distributed.all_gather_object(states, own)
        return {
            "task": self.task.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
            "best": asdict(self.best),
            "epochs": report.epochs_done,
            "sizer": self.sizer.state_dict(),
            "random": states,
        }

    def _go_on(self, state: State, report: StageReport) -> None:
        self.task.load_state_dict(state["task"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        self.best = Best(**state["best"])
        self.sizer.load_state_dict(state["sizer"])
        report.restore(state["epochs"])
        set_random_state(state["random"][self.fabric.global_rank])

    def _batches(self, store: GraphStore, order: Sequence[int]) -> AdjustableBatches:
        part = (self.fabric.global_rank, self.fabric.world_size)
        return AdjustableBatches(store, order, lambda: self.sizer.limit, part)

    def _sum(self, value: Tensor) -> float:
        return float(self._all_reduced(value, "sum"))

    def _peak(self) -> int:
        return int(self._all_reduced(torch.tensor(float(self.memory.peak)), "max"))

    def _all_reduced(self, value: Tensor, how: str) -> Tensor:
        if self.fabric.world_size == 1:
            return value
        return self.fabric.all_reduce(self.fabric.to_device(value), reduce_op=how)

    def _torch_random_state(self) -> tuple[Tensor, Tensor | None]:
        is_cuda = self.fabric.device.type == "cuda"
        cuda = torch.cuda.get_rng_state(self.fabric.device) if is_cuda else None
        return torch.get_rng_state(), cuda

    def _set_torch_random_state(self, state: tuple[Tensor, Tensor | None]) -> None:
        torch.set_rng_state(state[0])
        if state[1] is not None:
            torch.cuda.set_rng_state(state[1], self.fabric.device)
