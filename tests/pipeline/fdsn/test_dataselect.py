"""Requests are made smaller as far as it takes, and what can't be had costs nothing else."""

from __future__ import annotations

from collections.abc import Callable

from fdsn_server import (
    HTML,
    Asked,
    Centre,
    Fault,
    more_than_asked,
    repeated,
    reversed_records,
    status,
    truncated,
    wholly,
)

from pipeline.errors import DamagedError, DeniedError, TooLargeError
from pipeline.fdsn.client import Client, Patience
from pipeline.fdsn.dataselect import DayAnswer, Fetcher
from pipeline.fdsn.selection import Window
from pipeline.keys import Channel

MakeClient = Callable[..., Client]
FIRST = 18262
CHANNELS = [Channel.parse(f"CI.CCC..LH{component}") for component in "ENZ"]


def windows(days: int = 4, channels: list[Channel] = CHANNELS) -> list[Window]:
    return [Window.of_days(channel, FIRST, FIRST + days - 1, 0.1) for channel in channels]


def fetch(fetcher: Fetcher, asked: list[Window]) -> list[DayAnswer]:
    wanted = range(FIRST, FIRST + 4)
    return list(fetcher.fetch(asked, is_wanted=lambda channel, day: day in wanted))


def files(answers: list[DayAnswer]) -> dict[tuple[Channel, int], bytes]:
    return {(each.channel, each.day): each.records.data() for each in answers if each.records is not None}


def truth(centre: Centre, make_client: MakeClient) -> dict[tuple[Channel, int], bytes]:
    found = files(fetch(Fetcher(make_client()), windows()))
    assert len(found) == 12
    centre.asked.clear()
    return found


def test_too_large(centre: Centre, make_client: MakeClient) -> None:
    expected = truth(centre, make_client)
    for most, requests in ((6, 3), (3, 7), (1, 23), (0.3, 23 + 12 * 6)):
        centre.asked.clear()
        centre.most_channel_days = most
        assert files(fetch(Fetcher(make_client()), windows())) == expected
        assert centre.count() <= requests
        assert all(asked.channel_days <= 12 for asked in centre.of())


def test_a_size_that_was_refused_is_not_tried_again(centre: Centre, make_client: MakeClient) -> None:
    centre.most_channel_days = 3
    fetcher = Fetcher(make_client())
    fetch(fetcher, windows())
    centre.asked.clear()
    fetch(fetcher, windows())
    assert [round(asked.channel_days) for asked in centre.of()] == [3, 3, 3, 3]


def test_too_large_down_to_the_floor(centre: Centre, make_client: MakeClient) -> None:
    centre.most_channel_days = 0
    answers = fetch(Fetcher(make_client()), windows(1, CHANNELS[:1]))
    assert [type(each.error) for each in answers] == [TooLargeError]
    hours = [round(asked.channel_days * 24, 2) for asked in centre.of()]
    assert hours == [24, 12, 6, 3, 1.5, 0.75]  # once a part is lost, the rest of its day is not asked for


def of_one_day(channel: str, day: str, fault: Fault) -> Callable[[Asked], Fault | None]:
    """Misbehave whenever a request holds a certain channel-day."""

    def choose(asked: Asked) -> Fault | None:
        holds = any(line[3] == channel and line[4][:10] <= day <= line[5][:10] for line in asked.lines)
        return fault if holds else None

    return choose


def test_what_is_damaged_costs_a_channel_day(centre: Centre, make_client: MakeClient) -> None:
    expected = truth(centre, make_client)
    centre.always = of_one_day("LHN", "2020-01-03", wholly(truncated))
    answers = fetch(Fetcher(make_client(Patience(tries=2))), windows())
    lost = (CHANNELS[1], FIRST + 2)
    assert files(answers) == {key: data for key, data in expected.items() if key != lost}
    assert [(each.channel, each.day) for each in answers if each.error] == [lost]
    assert isinstance(next(each.error for each in answers if each.error), DamagedError)


def test_half_of_a_day_is_none(centre: Centre, make_client: MakeClient) -> None:
    """A day that comes in parts, one of which does not come, is lost as a whole."""
    refused = status(413)
    centre.always = lambda asked: (
        refused if asked.channel_days > 0.6 or asked.lines[0][4][11:] >= "12" else None
    )
    answers = fetch(Fetcher(make_client()), windows(1, CHANNELS[:1]))
    assert [(each.records, type(each.error)) for each in answers] == [(None, TooLargeError)]


def test_a_network_that_was_denied_is_left_alone(centre: Centre, make_client: MakeClient) -> None:
    centre.add("XX.SEC..LHZ", FIRST, 4)
    secret = Window.of_days(Channel.parse("XX.SEC..LHZ"), FIRST, FIRST + 3, 0.1)
    centre.always = lambda asked: status(403, "embargo") if asked.lines[0][0] == "XX" else None
    fetcher = Fetcher(make_client())
    for _ in range(3):
        answers = fetch(fetcher, [secret])
        assert {str(each.error) for each in answers} == {"not permitted (403): embargo"}
        assert all(isinstance(each.error, DeniedError) for each in answers)
    assert centre.count() == 1
    assert len(files(fetch(fetcher, windows()))) == 12


def test_more_and_other_than_was_asked_for(centre: Centre, make_client: MakeClient) -> None:
    centre.add("XX.OTH..LHZ", FIRST, 4)
    expected = truth(centre, make_client)
    for fault in (more_than_asked, wholly(repeated), wholly(reversed_records)):
        centre.faults.append(fault)
        some = files(fetch(Fetcher(make_client()), windows(2, CHANNELS[:2])))
        assert some == {key: expected[key] for key in expected if key in some}
        assert len(some) == 4


def test_less_than_was_asked_for(centre: Centre, make_client: MakeClient) -> None:
    later = Window.of_days(CHANNELS[0], FIRST + 9, FIRST + 9, 0.1)
    answers = fetch(Fetcher(make_client()), [*windows(), later])
    assert [each.day for each in answers if each.records is None] == [FIRST + 9]
    assert not any(each.error for each in answers)


def test_a_page_of_maintenance(centre: Centre, make_client: MakeClient) -> None:
    centre.always = lambda asked: wholly(lambda body: HTML)
    client = make_client(Patience(tries=2, failures_in_a_row=4))
    answers = fetch(Fetcher(client), windows())
    assert not files(answers)
    assert client.given_up
    assert centre.count() == 2 * 4
