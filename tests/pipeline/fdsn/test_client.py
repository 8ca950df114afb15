"""Each answer of a service is called by its name, and asked for again where that helps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from fdsn_server import HTML, Centre, FakeClock, Fault, cut, drip, status, truncated, wholly

from pipeline.errors import (
    ConfigError,
    CutOffError,
    DamagedError,
    DeniedError,
    RefusedError,
    ServiceError,
    TooLargeError,
    UnansweredError,
)
from pipeline.fdsn import client as client_module
from pipeline.fdsn.centres import Service
from pipeline.fdsn.client import Client, Patience
from pipeline.fdsn.credentials import Credentials
from pipeline.fdsn.pace import Pace, SystemClock
from pipeline.fdsn.records import read_answer
from pipeline.fdsn.selection import Window, request_lines
from pipeline.keys import Channel

MakeClient = Callable[..., Client]
DAY = 18262
BODY = request_lines([Window.of_days(Channel.parse("CI.CCC..LHZ"), DAY, DAY, 0.1)])


def ask(client: Client, body: bytes = BODY) -> bytes | None:
    def read(data: bytes) -> bytes:
        return read_answer(data).data

    return client.ask(client.dataselect_url, body=body, read=read, with_credentials=True)


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (status(503), [2.0]),
        (status(500, "Internal"), [2.0]),
        (status(502), [2.0]),
        (status(504), [2.0]),
        (status(408), [2.0]),
        (status(429), [2.0]),
        (status(429, Retry_After="17"), [17.0]),
        (status(503, Retry_After="90"), [90.0]),
        (status(429, Retry_After="Tue, 01 Jun 2021 00:01:00 GMT"), [60.0]),
        (cut(), [2.0]),
        (cut(0.0), [2.0]),
        (cut(chunked=True), [2.0]),
        (wholly(bytes, stated=+100), [2.0]),
        (wholly(bytes, stated=-100), [2.0]),
        (wholly(truncated), [2.0]),
        (wholly(lambda body: body[:1024] + b"garbage" * 99 + body[1024:]), [2.0]),
        (wholly(lambda body: HTML), [2.0]),
    ],
)
def test_what_helps_once(
    centre: Centre, clock: FakeClock, make_client: MakeClient, fault: Fault, waits: list[float]
) -> None:
    centre.faults.append(fault)
    client = make_client()
    answer = ask(client)
    assert answer == centre.select([line.split() for line in BODY.decode().splitlines()])
    assert client.requests == centre.count() == 2
    assert [wait for wait in clock.waits if wait > 1] == pytest.approx(waits, abs=0.02)


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (status(400, "<b>Bad</b>\n request: no such channel"), RefusedError, "Bad request: no such channel"),
        (status(405), RefusedError, r"refused \(405\)"),
        (status(501), RefusedError, r"refused \(501\)"),
        (status(401), DeniedError, r"not permitted \(401\)"),
        (status(403, "restricted"), DeniedError, r"not permitted \(403\): restricted"),
        (status(413), TooLargeError, "413"),
        (status(414), TooLargeError, "414"),
    ],
)
def test_what_asking_again_would_not_help(
    centre: Centre, make_client: MakeClient, fault: Fault, kind: type[ServiceError], message: str
) -> None:
    centre.faults.append(fault)
    with pytest.raises(kind, match=message):
        ask(make_client())
    assert centre.count() == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (status(503, "overloaded"), UnansweredError),
        (cut(), CutOffError),
        (wholly(lambda body: HTML), DamagedError),
    ],
)
def test_waits_double_and_end(
    centre: Centre, clock: FakeClock, make_client: MakeClient, fault: Fault, kind: type[ServiceError]
) -> None:
    centre.faults.extend([fault] * 5)
    with pytest.raises(kind):
        ask(make_client())
    assert centre.count() == 5
    assert [wait for wait in clock.waits if wait > 1] == [2.0, 4.0, 8.0, 16.0]


@pytest.mark.parametrize("fault", [status(204), status(404, "nothing")])
def test_nothing_is_an_answer(centre: Centre, make_client: MakeClient, fault: Fault) -> None:
    centre.faults.append(fault)
    assert ask(make_client()) is None
    assert centre.count() == 1


def test_nobody_asks_while_one_is_told_to_wait(
    centre: Centre, clock: FakeClock, make_client: MakeClient
) -> None:
    """A 429 slows down all threads: the pace itself is held, not only the request that met it."""
    client = make_client()
    centre.faults.append(status(429, Retry_After="30"))
    ask(client)
    client.pace.hold(25.0)
    before = clock.monotonic()
    ask(client)
    assert clock.monotonic() - before >= 25.0


def test_a_service_that_wants_hours_is_given_up(centre: Centre, make_client: MakeClient) -> None:
    centre.faults.append(status(503, "come back tomorrow", Retry_After="36000"))
    client = make_client()
    with pytest.raises(UnansweredError, match=r"left alone for 36000 s .*come back tomorrow"):
        ask(client)
    with pytest.raises(UnansweredError, match="left alone"):
        ask(client)
    assert centre.count() == 1


def test_a_service_that_answers_nothing_is_given_up(centre: Centre, make_client: MakeClient) -> None:
    client = make_client(Patience(tries=2, failures_in_a_row=3))
    away = [status(503)] * 4
    centre.faults.extend([*away, status(400), *away, wholly(bytes), *away * 9])
    for _ in range(2):
        with pytest.raises(UnansweredError):
            ask(client)
    with pytest.raises(RefusedError):  # an answer: the count begins anew
        ask(client)
    for _ in range(2):
        with pytest.raises(UnansweredError):
            ask(client)
    assert ask(client)  # and so does this
    for _ in range(9):
        with pytest.raises(UnansweredError):
            ask(client)
    assert client.given_up.startswith("3 requests in a row failed")
    assert centre.count() == 4 + 1 + 4 + 1 + 6


def test_no_connection(centre: Centre, clock: FakeClock) -> None:
    client = Client(Service("http://127.0.0.1:9"), Pace(100.0, clock))
    with pytest.raises(UnansweredError, match=r"^no answer: \w+$"):
        ask(client)
    assert client.requests == 5
    client.close()


def test_no_answer_in_time(centre: Centre, make_client: MakeClient) -> None:
    centre.faults.extend([drip(0.5)] * 2)
    client = make_client(Patience(tries=2, read_s=0.1))
    with pytest.raises(DamagedError, match="cut off: ReadTimeout"):
        ask(client)


def test_too_slow(centre: Centre, make_client: MakeClient, clock: FakeClock) -> None:
    centre.faults.append(drip(0.01))
    clock.tick_s = 10.0  # each byte takes ten seconds
    with pytest.raises(CutOffError, match="too slow"):
        ask(make_client(Patience(tries=1)))


def test_more_than_fits(centre: Centre, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "LARGEST_BODY", 1000)
    with pytest.raises(TooLargeError, match="more than"):
        ask(make_client())
    assert centre.count() == 1


def test_compressed_and_kept_alive(centre: Centre, make_client: MakeClient) -> None:
    centre.compresses = True
    client = make_client()
    answers = [ask(client) for _ in range(5)]
    assert set(answers) == {centre.select([line.split() for line in BODY.decode().splitlines()])}
    assert centre.connections == 1
    headers = centre.asked[0].headers
    assert headers["User-Agent"].startswith("stationday/")
    assert headers["Accept-Encoding"] == "gzip"


def test_a_compressed_body_that_is_cut(centre: Centre, make_client: MakeClient) -> None:
    centre.faults.append(wholly(truncated))
    centre.compresses = True
    assert ask(make_client())
    assert centre.count() == 2


def test_digest(centre: Centre, make_client: MakeClient) -> None:
    centre.user = ("me", "secret")
    assert ask(make_client(user="me", password="secret"))
    assert {asked.path.rpartition("/")[2] for asked in centre.of()} == {"queryauth"}
    with pytest.raises(DeniedError, match="401"):
        ask(make_client(user="me", password="wrong"))
    with pytest.raises(DeniedError, match="401"):
        ask(make_client())
    assert b"secret" not in b"".join(repr(asked.headers).encode() + asked.body for asked in centre.asked)


def test_bearer(centre: Centre, make_client: MakeClient) -> None:
    centre.bearer = "abc.def.ghi"
    assert ask(make_client(bearer="abc.def.ghi"))
    with pytest.raises(DeniedError):
        ask(make_client(bearer="other"))


def test_an_eida_token_is_exchanged(centre: Centre, make_client: MakeClient) -> None:
    centre.user, centre.eida_token = ("temporary", "password"), "-----BEGIN PGP MESSAGE-----"
    client = make_client(eida_token=centre.eida_token)
    client.sign_in()
    assert ask(client)
    other = make_client(eida_token="-----BEGIN PGP other")
    with pytest.raises(RefusedError):
        other.sign_in()


def test_credentials_go_nowhere_in_clear(clock: FakeClock) -> None:
    with pytest.raises(ConfigError, match="over https only"):
        Client(Service("http://example.org"), Pace(1.0, clock), Credentials(user="me", password="secret"))


def test_sent_on(centre: Centre, make_client: MakeClient) -> None:
    """A POST stays a POST; what we are is not told to another host."""
    centre.bearer = "abc"
    elsewhere = centre.base.replace("127.0.0.1", "localhost") + "/fdsnws/dataselect/1/query"
    centre.always = lambda asked: (
        status(301, Location=elsewhere) if asked.headers["Host"].startswith("127.") else None
    )
    with pytest.raises(DeniedError):
        ask(make_client(bearer="abc"))
    assert [asked.method for asked in centre.asked] == ["POST", "POST"]
    assert [asked.body for asked in centre.asked] == [BODY, BODY]
    assert ["Authorization" in asked.headers for asked in centre.asked] == [True, False]


def test_sent_round_in_circles(centre: Centre, make_client: MakeClient) -> None:
    centre.always = lambda asked: status(302, Location=asked.path)
    with pytest.raises(RefusedError, match="sent on more than 5 times"):
        ask(make_client())


def test_stopping_ends_all_waiting(centre: Centre) -> None:
    """Real time: a wait of ten minutes that nobody has to sit through."""
    client = Client(centre.service, Pace(100.0, SystemClock()))
    centre.faults.append(status(503, Retry_After="600"))
    raised = []

    def ask_and_wait() -> None:
        try:
            ask(client)
        except UnansweredError as error:
            raised.append(str(error))

    thread = threading.Thread(target=ask_and_wait)
    thread.start()
    while not centre.count():
        time.sleep(0.01)
    client.pace.stop()
    thread.join(20.0)
    client.close()
    assert raised == ["stopped"]
