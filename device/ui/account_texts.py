"""Texts about the account: its address, its certificate, signing in and out.

Called by: `account_menu.py`, `device/sending/sync.py`, `device/verbs/account.py`, `device/verbs/`. Law: what
`texts.py` says of texts.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

ACCOUNT = "Account"
UNENCRYPTED = "Not encrypted: others in the same network can read along"
SIGN_OUT = "Sign out"
SIGN_OUT_HELP = (
    "Removes users, passwords and tokens from this device, also those of Hardcover, OPDS and KOReader's sync that it"
    " holds. What was recorded stays, and goes out after the next sign-in."
)
SIGN_OUT_CONFIRM = (
    "Remove the account from this device, with its password, its tokens and the Hardcover token, if there is one? What"
    " was recorded stays."
)
SIGN_OUT_OF_OTHERS = "Remove the other accounts"
SIGN_OUT_OF_OTHERS_HELP = "There is no account at a server; what this device holds is for Hardcover or KOReader's sync."
SIGN_OUT_OF_OTHERS_CONFIRM = "Remove the Hardcover token and KOReader's sync account from this device?"
PINNED = "Only the certificate that you have trusted is believed"
UNPIN = "Stop trusting that certificate"
UNPIN_HELP = "Certificates are then checked as usual: against the known authorities, for name and date."
UNPIN_CONFIRM = "Check the server's certificate as usual again?"

NOT_SIGNED_IN = "No account is signed in."
SIGNED_OUT = "The account is removed from this device. What was recorded stays here."
SIGNED_OUT_OF_OTHERS = "No account at a server was signed in. The others (Hardcover, KOReader's sync) are removed."
SIGNED_OUT_TOKEN_LEFT = "hardcover_token.txt is still there: the next sync would take the token from it."
SIGNED_OUT_SETUP_LEFT = "setup.txt is still there: the next sync would sign in with it."
NOT_SIGNED_OUT_THERE = "The server could not be told; its tokens expire by themselves."
UNTRUSTED = "Certificates are checked as usual again."
TRUST_NOT_OURS = "That certificate is not of one of your server's addresses; nothing was changed."
TRUST_WHAT = "trust needs a certificate's SHA-256 fingerprint, or none"
_KINDS = {
    "password": "a password",
    "token": "a token",
    "certificate": "a certificate's fingerprint",
    "ca_file": "an authority",
    "local_server": "the address at home",
    "home_network": "the name of the home network",
    "keep_password": "whether the password is kept",
    "koreader_user": "KOReader's sync account",
    "opds_user": "the OPDS account",
    "hardcover_token": "the Hardcover token",
}


def local_server(address: str, network: str) -> str:
    return f"At home ({network}): {address}" if network else f"At home: {address}"


def unencrypted(address: str) -> str:
    return f"{address} is not encrypted: others in the same network can read the password and what you read."


def led_to_encryption(address: str, better: str) -> str:
    return (
        f"{address} leads to {better}. Write that into setup.txt: until then the first request of each sync, with the"
        " password or token in it, is not encrypted."
    )


def cannot_be_renewed(day: str) -> str:
    return (
        "The login cannot be renewed any more, mostly because the server's last answer to that was lost. It serves"
        f" until {day}. Before then, put the password or a new token into setup.txt, as: password = …"
    )


def taken(keys: list[str]) -> str:
    """What a setup file without a server has brought."""
    return f"Taken from setup.txt: {', '.join(_KINDS[key] for key in keys if key in _KINDS)}."


def question(host: str, address: str, fingerprint: str) -> dict[str, Json]:
    """As in docs/protocol.md: whether a certificate that nobody vouches for is to be believed."""
    return {
        "id": f"certificate-{fingerprint[:16]}",
        "text": f"The certificate of {address} cannot be checked. {_COMPARE}\n\n{in_lines(fingerprint)}",
        "when": "now",
        "answers": [
            {
                "label": "It is my server: trust it",
                "verb": "trust",
                "arguments": {"fingerprint": fingerprint, "host": host},
            },
            {"label": "Do not trust it"},
        ],
    }


_COMPARE = (
    "If it is your own server's, compare its SHA-256 fingerprint and trust it; from then on only this certificate is"
    " believed."
)


def question_at_home(host: str, address: str, fingerprint: str) -> dict[str, Json]:
    """The same of an address that may be somebody else's where the reader is now."""
    asked = question(host, address, fingerprint)
    asked["text"] = (
        f"The certificate of {address}, your server's address at home, cannot be checked. Trust it only if you are at"
        f" home now: in another network this address is somebody else's. {_COMPARE}\n\n{in_lines(fingerprint)}"
    )
    return asked


def trust_by_command(address: str, fingerprint: str) -> str:
    return (
        f"If you know that this is the SHA-256 fingerprint of the certificate of {address}, `booklore-sync trust"
        f" {fingerprint}` believes it from now on."
    )


def trusted(host: str, fingerprint: str) -> str:
    where = "the server" if host == "*" else host
    return f"From now on only the certificate {in_pairs(fingerprint)[:23]}… is believed of {where}."


def in_pairs(fingerprint: str) -> str:
    """With colons, as openssl and browsers show it."""
    return ":".join(fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2)).upper()


def in_lines(fingerprint: str) -> str:
    """Eight bytes a line, to be compared by eye."""
    return "\n".join(in_pairs(fingerprint[at : at + 16]) for at in range(0, len(fingerprint), 16))
