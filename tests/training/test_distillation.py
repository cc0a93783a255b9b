from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from kdgat.errors import DataError
from kdgat.models.artifact import build
from kdgat.parameters import Autoencoder, Distillation, Teacher
from kdgat.training import distillation as module
from kdgat.training.autoencoder import train_autoencoder
from kdgat.training.classifier import train_classifier
from kdgat.training.distillation import train_student_autoencoder, train_student_classifier
from kdgat.training.scoring import score_classifier


@pytest.fixture(scope="module")
def common(train, validation, scaling, compute):
    return {
        "train": train,
        "validation": validation,
        "scaling": scaling,
        "compute": compute,
        "seed": 1,
    }


@pytest.fixture(scope="module")
def teacher_autoencoder(common, autoencoder_model, loss, fit):
    parameters = Autoencoder(model=autoencoder_model, loss=loss, fit=fit)
    return train_autoencoder(**common, parameters=parameters)[0]


@pytest.fixture(scope="module")
def teacher_classifier(common, teacher_autoencoder, classifier_model, fit, curriculum, store_of):
    """A teacher that has seen far more than its students will."""
    longer = fit.model_copy(update={"epochs": 8})
    parameters = Teacher(
        mode="normal",
        id_dropout=0.0,
        model=classifier_model,
        fit=longer,
        curriculum=curriculum,
    )
    many = {"train": store_of(num_graphs=600, seed=9)}
    return train_classifier(
        **common | many, autoencoder=teacher_autoencoder, parameters=parameters
    )[0]


def perturbed(artifact):
    state = {name: t * 1.1 if t.dim() > 1 else t for name, t in artifact.state.items()}
    return replace(artifact, state=state)


def without_teacher(parameters: Distillation) -> Distillation:
    return parameters.model_copy(
        update={"soft": parameters.soft.model_copy(update={"enabled": False})}
    )


def equal(first, second) -> bool:
    return all(torch.equal(second.state[name], t) for name, t in first.state.items())


def train_both(common, parameters, teacher_autoencoder, teacher_classifier):
    autoencoder, _ = train_student_autoencoder(
        **common, teacher=teacher_autoencoder, parameters=parameters
    )
    classifier, _ = train_student_classifier(
        **common, teacher=teacher_classifier, autoencoder=autoencoder, parameters=parameters
    )
    return autoencoder, classifier


def test_a_perturbed_teacher_changes_the_students(
    common, distillation, teacher_autoencoder, teacher_classifier
):
    teachers = (teacher_autoencoder, teacher_classifier)
    first = train_both(common, distillation, *teachers)
    again = train_both(common, distillation, *teachers)
    other = train_both(common, distillation, *map(perturbed, teachers))
    for one, same, different in zip(first, again, other, strict=True):
        assert equal(one, same)
        assert not equal(one, different)
        assert one.metadata["training_mode"] == "distilled_normal"
        assert not any("teacher" in name or "projection" in name for name in one.state)


def test_without_teacher_nothing_of_it_is_looked_at(
    common, distillation, teacher_autoencoder, teacher_classifier
):
    parameters = without_teacher(distillation)
    teachers = (teacher_autoencoder, teacher_classifier)
    broken = [replace(teacher, state={}) for teacher in teachers]
    alone = train_both(common, parameters, *teachers)
    blind = train_both(common, parameters, *broken)
    for one, other in zip(alone, blind, strict=True):
        assert equal(one, other)
        assert one.metadata["training_mode"] == "normal"


def test_teachers_are_frozen_and_stay_in_evaluation_mode(
    common, distillation, teacher_autoencoder, teacher_classifier, monkeypatch
):
    built, modes = [], []

    def watched(teacher):
        network = frozen(teacher)
        network.register_forward_hook(lambda *_: modes.append(network.training))
        built.append((teacher, network))
        return network

    frozen = module.frozen
    monkeypatch.setattr(module, "frozen", watched)
    train_both(common, distillation, teacher_autoencoder, teacher_classifier)
    assert len(built) == 2
    for artifact, network in built:
        assert equal(artifact, replace(artifact, state=network.state_dict()))
        assert not any(parameter.requires_grad for parameter in network.parameters())
    assert len(modes) > 10
    assert not any(modes)


def test_switching_a_student_to_training_leaves_its_teacher_alone(
    teacher_autoencoder, distillation
):
    teacher = module.frozen(teacher_autoencoder)
    task = module.DistilledAutoencoderTask(
        teacher=teacher,
        soft=distillation.soft,
        model=build(teacher_autoencoder),
        loss=distillation.autoencoder_loss,
        fit=distillation.autoencoder_fit,
    )
    task.train()
    assert task.model.training
    assert not any(part.training for part in teacher.modules())


def test_a_teacher_is_loaded_strictly(common, distillation, teacher_autoencoder):
    state = dict(teacher_autoencoder.state)
    del state["mean.weight"]
    with pytest.raises(DataError, match=r"mean\.weight"):
        train_student_autoencoder(
            **common,
            teacher=replace(teacher_autoencoder, state=state),
            parameters=distillation,
        )


def test_curriculum_mode(common, distillation, teacher_autoencoder, teacher_classifier):
    parameters = distillation.model_copy(update={"mode": "curriculum"})
    normal = train_both(common, distillation, teacher_autoencoder, teacher_classifier)
    changed = train_both(common, parameters, teacher_autoencoder, teacher_classifier)
    assert equal(normal[0], changed[0])
    assert not equal(normal[1], changed[1])
    assert changed[1].metadata["training_mode"] == "distilled_curriculum"


def test_a_student_gains_from_its_teacher(
    common, distillation, teacher_autoencoder, teacher_classifier, store_of, fit
):
    """A third of the student's labels is wrong; its teacher has learned from right ones."""
    store = store_of(num_graphs=128, seed=11)
    wrong = torch.from_numpy(np.random.default_rng(0).random(128) < 0.33)
    noisy = replace(store, y=torch.where(wrong, 1 - store.y, store.y))
    longer = fit.model_copy(update={"epochs": 10, "patience": 10})
    soft = distillation.soft.model_copy(update={"soft_weight": 0.9})
    parameters = distillation.model_copy(
        update={"soft": soft, "classifier_fit": longer, "id_dropout": 0.0}
    )
    test = store_of(num_graphs=400, seed=12)
    quality = []
    for chosen in (parameters, without_teacher(parameters)):
        student, _ = train_student_classifier(
            **common | {"train": noisy},
            teacher=teacher_classifier,
            autoencoder=teacher_autoencoder,
            parameters=chosen,
        )
        logit = score_classifier(student, test, compute=common["compute"])["attack_logit"]
        quality.append(roc_auc_score(test.y, logit))
    taught, alone = quality
    assert taught > alone + 0.02
