"""Chains that start in the same second, on the same graphs and seed, in one new store."""

from collections import Counter

from mlflow import MlflowClient

from kdgat.datasets.tensors import read_model

CHAINS = 12
SHORT = ",".join(
    (
        "autoencoder.fit.epochs=1",
        "teacher.fit.epochs=1",
        "distillation.autoencoder_fit.epochs=1",
        "distillation.classifier_fit.epochs=1",
        "fusion.agent.steps=4",
        "fusion.agent.evaluate_every=2",
    )
)
AGENTS = ("teacher_agent", "student_agent")
DETECTORS = tuple(f"{s}_{k}" for s in ("teacher", "student") for k in ("autoencoder", "classifier"))
MODELS = (*DETECTORS, *AGENTS)


def test_twelve_chains_leave_twelve_complete_sets_each_of_its_own_inputs(
    forks, copied_graphs, tmp_path
):
    data = copied_graphs(tmp_path / "data")
    started = [
        forks.kedro(
            data,
            *("run", "--env", "smoke", "--params"),
            # another learning rate each: what belongs to which chain shows in the weights
            f"{SHORT},autoencoder.fit.learning_rate={(number + 1) * 1e-4}",
            *("--pipelines", "autoencoder,teacher,distillation,fusion"),
            *("--to-nodes", ",".join(f"fusion.train_{agent}" for agent in AGENTS)),
        )
        for number in range(CHAINS)
    ]
    codes = [process.wait(300) for process in started]
    assert codes == [0] * CHAINS, [process.printed for process in started]

    folder = data / "06_models" / "synthetic" / "seed_1"
    versions = {path.name for path in (folder / "teacher_agent.safetensors").iterdir()}
    assert len(versions) == CHAINS
    weights, rates = Counter(), set()
    for version in versions:
        models = {
            name: read_model(folder / f"{name}.safetensors" / version / f"{name}.safetensors")
            for name in MODELS
        }
        for model in models.values():
            parents = model.metadata["provenance"]["parents"]
            assert {v["version"] for n, v in parents.items() if n in MODELS} <= {version}
        autoencoder = models["teacher_autoencoder"]
        own = models["teacher_agent"].metadata["provenance"]["parameters"]["autoencoder"]
        assert autoencoder.metadata["parameters"]["fit"] == own["fit"]
        rates.add(own["fit"]["learning_rate"])
        weights[b"".join(tensor.numpy().tobytes() for tensor in autoencoder.state.values())] += 1
    assert len(weights) == len(rates) == CHAINS

    client = MlflowClient(f"sqlite:///{data}/mlflow.db")
    (experiment,) = [e for e in client.search_experiments() if e.name != "Default"]
    assert experiment.name == "autoencoder+distillation+fusion+teacher"
    runs = client.search_runs([experiment.experiment_id])
    assert {run.data.tags["version"] for run in runs} == versions
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert all("teacher_fusion/val_reward" in run.data.metrics for run in runs)
