"""Writes `device/server/ca_certificates.py`: the certification authorities that the worker trusts.

`python -m builder.ca_list` writes it anew from the certifi that sources.toml pins; `--check` only says whether it is
what that certifi gives. The module is committed, so that a checkout runs without the builder.

Promises: certificates are copied byte for byte; only the comments between them are left out.
Called by: the engineer who raises the certifi pin; the tests use `--check`.
"""

import argparse
import re
import sys
import zipfile
from pathlib import Path

from builder import commands
from builder.failures import BuildError
from builder.pins import Source, load_sources
from builder.steps import sources
from builder.workshop import REPOSITORY, open_workshop

OUTPUT = REPOSITORY / "device" / "server" / "ca_certificates.py"
MEMBER = "certifi/cacert.pem"
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n")
MODULE = '''\
"""The certification authorities that the worker trusts: {count} certificates from certifi {version}.

Written by builder/ca_list.py; not to be edited. They are Mozilla's list, under the Mozilla Public License 2.0
(https://mozilla.org/MPL/2.0/).
"""

CA_CERTIFICATES_PEM = """\\
{certificates}"""
'''


def module_text(pem: str, version: str) -> str:
    """The Python module for the PEM bundle of one certifi."""
    certificates = CERTIFICATE.findall(pem)
    if len(certificates) != pem.count("BEGIN CERTIFICATE") or not certificates:
        raise BuildError(f"certifi {version}: not every certificate of its bundle could be read")
    return MODULE.format(count=len(certificates), version=version, certificates="".join(certificates))


def bundle(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(MEMBER).decode()


def main(arguments: list[str]) -> int:
    """Writes or checks the module; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m builder.ca_list", description="Writes device/server/ca_certificates.py."
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if it is not up to date")
    options = parser.parse_args(arguments)
    source: Source = load_sources()["certifi"]
    try:
        with open_workshop(jobs=1) as workshop:
            text = module_text(bundle(sources.fetched(workshop, source, source.files[0])), source.version)
    except BuildError as error:
        commands.say(f"error: {error}")
        return 1
    if not options.check:
        OUTPUT.write_text(text)
    elif OUTPUT.read_text() != text:
        commands.say(f"{OUTPUT.relative_to(REPOSITORY)} is out of date: run python -m builder.ca_list")
        return 1
    commands.say(f"{OUTPUT.relative_to(REPOSITORY)}: certifi {source.version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
