"""The verbs of the account: which certificate is believed, and signing out.

Promises: a fingerprint is believed only because the reader said so. After signing out nothing of the account is on this
device any more, whether the server could be told or not; what was recorded stays, and goes on when the same account
is set up again.
Called by: `device/verbs/`.
"""

from __future__ import annotations

import time

from device import json_text, protocol
from device.secrets import Keeper
from device.store import settings
from device.ui import account_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.secrets import Secrets
    from device.verbs.run import Run

LOGOUT = "/api/v1/auth/logout"
LOGOUT_MOST_S = 5.0  # telling the server is a courtesy: nobody waits for it longer
NONE = "none"


def trust(run: Run) -> None:
    """Believes one certificate, of the host that a job names or of all addresses of the server; or checks as usual."""
    from device.server.tls import EVERY_HOST, fingerprint_in

    keeper = Keeper(run.folder.disk, run.folder.secrets)
    secrets = keeper.load()
    if secrets is None:
        raise ValueError(account_texts.NOT_SIGNED_IN)
    given, host = run.job.arguments.get("fingerprint"), run.job.arguments.get("host")
    if not isinstance(given, str):
        raise ValueError(account_texts.TRUST_WHAT)
    if given == NONE:
        secrets.pins = {}
        said = account_texts.UNTRUSTED
    else:
        fingerprint = fingerprint_in(given)
        place = host if isinstance(host, str) else EVERY_HOST
        hosts = _hosts(secrets)
        if place == EVERY_HOST:
            secrets.pins = {EVERY_HOST: fingerprint}
        elif place in hosts:
            # What was believed of every address is still believed of the others.
            before, of_all = secrets.pins, secrets.pins.get(EVERY_HOST, "")
            secrets.pins = {name: pin for name in hosts if (pin := before.get(name) or of_all)}
            secrets.pins[place] = fingerprint
        else:
            raise ValueError(account_texts.TRUST_NOT_OURS)
        said = account_texts.trusted(place, fingerprint)
    keeper.save(secrets)
    with run.store.transaction():
        settings.forget_problems(run.store)
        settings.remove(run.store, settings.CERTIFICATE_ASKED)
    run.result.say(protocol.INFO, said)


def sign_out(run: Run) -> None:
    """The secrets go first: what follows may take its time, or never end."""
    from device.verbs import hardcover

    keeper = Keeper(run.folder.disk, run.folder.secrets)
    everything = keeper.load_all()
    keeper.forget()
    with run.store.transaction():
        settings.forget_problems(run.store)
    if not everything.has_account() and not everything.has_others():
        run.result.say(protocol.INFO, account_texts.NOT_SIGNED_IN)
    else:
        said = account_texts.SIGNED_OUT if everything.has_account() else account_texts.SIGNED_OUT_OF_OTHERS
        run.result.say(protocol.INFO, said)
    if run.folder.disk.size_bytes(f"{run.folder.path}/{hardcover.TOKEN_FILE}") is not None:
        run.result.say(protocol.WARNING, account_texts.SIGNED_OUT_TOKEN_LEFT)
    if run.folder.disk.size_bytes(run.folder.setup) is not None:
        run.result.say(protocol.WARNING, account_texts.SIGNED_OUT_SETUP_LEFT)
    has_tokens = everything.has_account() and (everything.refresh_token or everything.access_token)
    if has_tokens and not _told(run, everything):
        run.result.say(protocol.INFO, account_texts.NOT_SIGNED_OUT_THERE)


def _told(run: Run, secrets: Secrets) -> bool:
    """Whether the server has revoked the tokens. Grimmory takes a logout only with a token in its head.

    The refresh token goes to nobody who has not shown before, by taking the other token, that he is our server.
    """
    from device.sending.connecting import ways
    from device.server import permissions, proxy
    from device.server.errors import ServerError
    from device.server.http import Connection
    from device.server.tls import Trust

    deadline = min(run.deadline, time.monotonic() + LOGOUT_MOST_S)
    trusted = Trust(secrets.extra_ca_pem, int(time.time()), secrets.anchor_pem, secrets.pins)
    found = ways(secrets, settings.get(run.store, settings.ADDRESS_WORKED))
    token = secrets.access_token or secrets.refresh_token
    body = json_text.encode({"refreshToken": secrets.refresh_token} if secrets.refresh_token else {})
    try:
        connection = Connection(found[0].address, trusted, deadline, found, proxy.parse(run.job.proxy))
    except (ServerError, ValueError):
        return False
    try:
        head = {"Authorization": f"Bearer {token}"}
        connection.connect()
        if connection.is_unproven() and secrets.access_token:
            connection.request("GET", permissions.ME, head)
        if connection.is_unproven():
            return False
        answer = connection.request_in_secret("POST", LOGOUT, head, body)
        return 200 <= answer.status < 300 and answer.status != 203
    except ServerError:
        return False
    finally:
        connection.close()


def _hosts(secrets: Secrets) -> list[str]:
    from device.server import address

    return [address.parse(place).host for place in secrets.addresses()]
