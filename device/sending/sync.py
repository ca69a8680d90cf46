"""A run of `sync`: whether it may go to the server, and what is remembered of how it went.

Promises: a run that has nothing to do asks nothing; in manual mode only the reader makes a run go; after a failure
unasked runs pause, each time longer, with jitter, and a refused login is not tried again unasked. What the server's
clock says is recorded whenever it was heard.
Called by: `device/verbs/`. The sending itself is `sending.py`'s.
"""

from __future__ import annotations

from device import protocol
from device.core import outbox as rules
from device.core import preferences as table
from device.core.instants import CLOCK_TOLERANCE_S
from device.core.server_clock import Measured, Now
from device.recovery import evidence
from device.sending.annotation_turns import are_of_interest
from device.sending.book_states import pulls
from device.sending.clock import Clock
from device.sending.placing import place
from device.server.errors import (
    LoginRefused,
    NotAllowed,
    NotBookLore,
    NotReached,
    OutOfTime,
    ProxyTrouble,
    ReplyLost,
    ServerError,
    TryLater,
    Untrusted,
)
from device.store import books, mark_plans, outbox, preferences, reading_sessions, settings, shared_values
from device.ui import account_texts, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.folder import Folder
    from device.json_text import Json
    from device.protocol import Job, Result
    from device.secrets import Keeper, Secrets
    from device.server.client import Client
    from device.server.tls import Presented
    from device.store.database import Store

# What a failure means for the run, and how loud it is: a reader who did not ask is not told that she is offline.
_OUTCOMES: tuple[tuple[type[ServerError], str, str], ...] = (
    (Untrusted, protocol.FAILED, protocol.ERROR),
    (LoginRefused, protocol.FAILED, protocol.ERROR),
    (NotAllowed, protocol.FAILED, protocol.WARNING),
    (NotReached, protocol.OFFLINE, protocol.INFO),
    (ReplyLost, protocol.OFFLINE, protocol.INFO),
    (NotBookLore, protocol.OFFLINE, protocol.WARNING),
    (TryLater, protocol.OFFLINE, protocol.WARNING),
    (OutOfTime, protocol.OFFLINE, protocol.INFO),
)


def sync(
    folder: Folder, store: Store, keeper: Keeper, secrets: Secrets, job: Job, result: Result, deadline: float
) -> None:
    """Sends what waits, if there is anything and it may be sent now; the outcome goes into `result`."""
    clock = Clock()
    wanted = preferences.load(store)
    prepare(store, secrets.owner(), job.asked_for(), clock.wall_s())
    if not may_go(store, wanted, job, result, clock.wall_s()):
        return
    from device.sending.connecting import link
    from device.server.tls import day

    try:
        server = link(store, keeper, secrets, job, deadline, clock)
    except ProxyTrouble as problem:
        _fail(store, job, result, problem, clock)
        return
    try:
        go(store, server.client, wanted, job, result, deadline, clock, lambda id: evidence.renew(folder, store, id))
    finally:
        server.close()
    if job.asked_for() and server.is_led_to_encryption():
        result.say(protocol.WARNING, account_texts.led_to_encryption(server.begun(), server.address()))
    if server.client.account.serves_until is not None:
        result.say(protocol.WARNING, account_texts.cannot_be_renewed(day(server.client.account.serves_until)))
    if server.trust.presented is not None:
        _ask_about_certificate(store, job, result, server.trust.presented)
    elif server.trust.presented_in_doubt is not None and job.asked_for():
        _ask_about_doubtful_certificate(store, job, result, server.trust.presented_in_doubt)


def _fail(store: Store, job: Job, result: Result, problem: ServerError, clock: Clock) -> None:
    with store.transaction():
        _remember(store, result, problem, clock)
    _say(job, result, problem)


def _ask_about_certificate(store: Store, job: Job, result: Result, shown: Presented) -> None:
    """Whenever the reader asked for the run; else once for each certificate, and never for one that has expired."""
    if not job.asked_for() and (shown.has_expired or _was_asked(store, shown)):
        return
    _ask(store, job, result, shown, account_texts.question(shown.host, shown.address, shown.fingerprint))


def _ask_about_doubtful_certificate(store: Store, job: Job, result: Result, shown: Presented) -> None:
    """In this network the address at home may be a stranger's. Where the other one works, once is enough."""
    if result.outcome == protocol.DONE and _was_asked(store, shown):
        return
    _ask(store, job, result, shown, account_texts.question_at_home(shown.host, shown.address, shown.fingerprint))


def _was_asked(store: Store, shown: Presented) -> bool:
    return settings.get(store, settings.CERTIFICATE_ASKED) == shown.fingerprint


def _ask(store: Store, job: Job, result: Result, shown: Presented, question: Json) -> None:
    with store.transaction():
        settings.put(store, settings.CERTIFICATE_ASKED, shown.fingerprint)
    if job.id is None:
        result.say(protocol.INFO, account_texts.trust_by_command(shown.address, shown.fingerprint))
    result.questions.append(question)


def prepare(store: Store, owner: str, asked_for: bool, now: int) -> None:
    """What another account or a reader's wish changes before anything is sent."""
    earlier = settings.get(store, settings.MATCHES_OF)
    if earlier != owner:
        with store.transaction():
            _forget_what_the_server_said(store)
            if earlier is not None:
                _doubt_everything(store, now)
            settings.put(store, settings.MATCHES_OF, owner)
            mark_plans.unheard(store, owner)
    with store.transaction():
        for unproven in (False, True):
            # A book may have got its id by other ways than a run: from the old plugin, or a store that was rebuilt.
            new = rules.after(rules.WAITING, rules.event_for_match(unproven)), unproven
            outbox.change_waiting_of_matched(store, (rules.WAITING, unproven), new, now)
        if asked_for:
            after = rules.after(rules.REJECTED, rules.TRY_AGAIN)
            outbox.change_tried_sessions(store, rules.REJECTED, rules.TRIES_MOST, after, now)


def _forget_what_the_server_said(store: Store) -> None:
    """Another account's ids mean other things."""
    books.forget_matches(store)
    outbox.forget_remote_ids(store)
    outbox.withdraw_changes_of_marks(store)
    shared_values.forget_the_server(store)
    settings.remove(store, settings.PULLED_AT)
    settings.remove(store, settings.LIBRARY_READ_AT)
    settings.forget_server(store)


def _doubt_everything(store: Store, now: int) -> None:
    """Nobody remembers which account may have what, so everything is looked for before it is sent."""
    for state in rules.OPEN:
        new = rules.after(state, rules.ANOTHER_ACCOUNT), rules.unproven_after(False, rules.ANOTHER_ACCOUNT)
        outbox.change_all(store, state, new, now)


def may_go(store: Store, wanted: table.Preferences, job: Job, result: Result, now: int) -> bool:
    """Whether there is something to do and nothing speaks against doing it now; if not, `result` knows why."""
    if wanted.is_manual() and not job.asked_for():
        return False
    is_anything_there = (
        outbox.waits_for_nothing_but_a_run(store)
        or pulls(store, wanted, job, now)
        or are_of_interest(store, wanted, job, now)
    )
    if not is_anything_there:
        return False
    if job.asked_for():
        return True
    if settings.get(store, settings.LOGIN_REFUSED):
        result.outcome = protocol.FAILED
        return False
    retry_at = settings.get_int(store, settings.RETRY_AT)
    is_another_network = job.reason == protocol.NETWORK and not settings.get(store, settings.PAUSED)
    if now < retry_at <= now + rules.RETRY_MOST_S * 2 and not is_another_network:
        result.outcome = protocol.OFFLINE
        return False
    return True


def go(
    store: Store,
    client: Client,
    wanted: table.Preferences,
    job: Job,
    result: Result,
    deadline: float,
    clock: Clock,
    renew: Callable[[str], None],
) -> None:
    """Sends, and remembers how it went. Raises nothing of the server's. `renew`: see `placing.py`."""
    from device.sending.sender import Sender

    problem: ServerError | None = None
    try:
        _place(store, client, clock, renew)
        Sender(store, client, wanted, job, result, deadline, clock).run()
    except ServerError as found:
        problem = found
    with store.transaction():
        if problem is not None:
            _remember(store, result, problem, clock)
        elif client.has_spoken():
            settings.put(store, settings.LAST_SYNC_AT, str(clock.wall_s()))
            settings.forget_problems(store)
        offset_s = _record_clock(store, client, clock)
    if problem is not None:
        _say(job, result, problem)
    if offset_s is not None and abs(offset_s) > CLOCK_TOLERANCE_S and job.asked_for():
        result.say(protocol.WARNING, texts.clock_differs(offset_s))


def _place(store: Store, client: Client, clock: Clock, renew: Callable[[str], None]) -> None:
    """What a wrong clock has recorded is put right before it is sent."""
    if not reading_sessions.has_unsent(store):
        return
    measured = _measured(store)
    server_s = None
    if measured is None or not measured.vouches_for(clock.wall_s(), clock.uptime()):
        server_s = client.hear()
    place(store, measured, Now(clock.wall_s(), server_s, clock.uptime()), renew)


def _measured(store: Store) -> Measured | None:
    boot_id = settings.get(store, settings.CLOCK_BOOT_ID)
    if boot_id is None:
        return None
    uptime = rules.Uptime(boot_id, settings.get_int(store, settings.CLOCK_UPTIME_S))
    return Measured(
        settings.get_int(store, settings.CLOCK_OFFSET_S), settings.get_int(store, settings.CLOCK_MEASURED_AT), uptime
    )


def _say(job: Job, result: Result, problem: ServerError) -> None:
    for kind, outcome, level in _OUTCOMES:
        if isinstance(problem, kind):
            result.outcome = outcome
            if level != protocol.INFO or job.asked_for():
                result.say(level, _sentence(str(problem)))
            break


def _sentence(text: str) -> str:
    """With a capital, except where it begins with an address, and one full stop."""
    begun = text if text.startswith("http") else text[:1].upper() + text[1:]
    return begun if begun.endswith(".") else f"{begun}."


def _remember(store: Store, result: Result, problem: ServerError, clock: Clock) -> None:
    settings.put(store, settings.LAST_PROBLEM, str(problem))
    if isinstance(problem, LoginRefused):
        settings.put(store, settings.LOGIN_REFUSED, "1")
    if isinstance(problem, TryLater):
        settings.put(store, settings.PAUSED, "1")
    else:
        settings.remove(store, settings.PAUSED)
    if result.counts["sent"] == 0 and not isinstance(problem, OutOfTime):
        failures = settings.get_int(store, settings.FAILURES) + 1
        if isinstance(problem, TryLater):
            delay_s = problem.wait_s
        else:
            delay_s = rules.retry_delay_s(min(failures, 16), clock.chance())
        settings.put(store, settings.FAILURES, str(failures))
        settings.put(store, settings.RETRY_AT, str(clock.wall_s() + delay_s))


def _record_clock(store: Store, client: Client, clock: Clock) -> int | None:
    """Seconds that the server's clock is ahead; None if it was not heard: a login page's clock is nobody's."""
    server_s = client.server_now()
    if server_s is None or not client.has_spoken():
        return None
    now, uptime = clock.wall_s(), clock.uptime()
    settings.put(store, settings.CLOCK_OFFSET_S, str(server_s - now))
    settings.put(store, settings.CLOCK_MEASURED_AT, str(now))
    settings.put(store, settings.CLOCK_BOOT_ID, uptime.boot_id)
    settings.put(store, settings.CLOCK_UPTIME_S, str(uptime.seconds))
    return server_s - now
