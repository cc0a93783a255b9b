import pytest

from kdgat.can.messages import Burst, Checksum, Counter, Event, Periodic, Signal
from kdgat.can.vehicles import STYLES, VEHICLES, draw_vehicle


def all_ids(name: str) -> set[int]:
    diagnostic = VEHICLES[name].diagnostic
    ids = {message.arbitration_id for message in VEHICLES[name].messages}
    return ids | {diagnostic.request_id, diagnostic.response_id}


def test_a_style_is_always_the_same_car():
    assert draw_vehicle(STYLES[0]) == VEHICLES[STYLES[0].name]


@pytest.mark.parametrize("name", VEHICLES)
def test_a_car_has_every_rhythm_and_kind_of_field(name):
    messages = VEHICLES[name].messages
    rhythms = {type(message.rhythm) for message in messages}
    fields = {type(field) for message in messages for field in message.fields}
    assert rhythms == {Periodic, Event, Burst}
    assert {Checksum, Counter, Signal} <= fields
    assert len({message.dlc for message in messages}) > 2
    assert len(all_ids(name)) == len(messages) + 2


@pytest.mark.parametrize("name", VEHICLES)
def test_fields_fill_the_payload_without_overlap(name):
    for message in VEHICLES[name].messages:
        taken = []
        for field in message.fields:
            width = field.width if isinstance(field, Signal) else 1
            taken += range(field.position, field.position + width)
        assert taken == list(range(message.dlc))


def test_most_ids_of_the_unknown_car_are_its_own():
    known = all_ids("aster") | all_ids("birch") | all_ids("cedar")
    assert len(all_ids("dogwood") - known) > 0.6 * len(all_ids("dogwood"))


def test_frequent_messages_tend_to_have_low_ids():
    messages = [x for x in VEHICLES["birch"].messages if isinstance(x.rhythm, Periodic)]
    half = len(messages) // 2
    early = sum(x.rhythm.period for x in messages[:half]) / half
    late = sum(x.rhythm.period for x in messages[half:]) / (len(messages) - half)
    assert early < late
