"""Certificates for tests of TLS: an authority, a good server certificate, and the bad ones.

Promises: PEM files in a given folder, each kind under its own name; what exists already is used again, so that a
client that trusts `authority.pem` goes on trusting the server after a restart.
Never: for use outside tests; the keys are not protected.
Called by: tests, and `__main__` for `--tls-dir`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

OWN_HOSTS = ("127.0.0.1", "localhost")
DAY = timedelta(days=1)
LIFETIME = timedelta(days=3650)  # a folder of certificates may lie around between two demos


class CertificateFiles(NamedTuple):
    """Paths of a certificate and its key; goes straight into `StandIn(tls=...)`."""

    certificate: Path
    key: Path


def make_authority(folder: Path, name: str = "authority") -> CertificateFiles:
    """A root certificate. Give its `certificate` to the client as the one to trust."""
    now = datetime.now(UTC)
    return _make(folder, name, f"Test {name}", hosts=(), issuer=None, valid=(now - DAY, now + LIFETIME), is_root=True)


def make_server_certificate(
    folder: Path, authority: CertificateFiles, hosts: Sequence[str] = OWN_HOSTS, name: str = "server"
) -> CertificateFiles:
    """A good certificate for `hosts`, from the authority."""
    now = datetime.now(UTC)
    return _make(folder, name, hosts[0], hosts, authority, (now - DAY, now + LIFETIME))


def make_wrong_host_certificate(folder: Path, authority: CertificateFiles) -> CertificateFiles:
    """From the authority, but for another host."""
    return make_server_certificate(folder, authority, hosts=("books.example.org",), name="wrong-host")


def make_expired_certificate(folder: Path, authority: CertificateFiles) -> CertificateFiles:
    """From the authority, for the right host, but over since yesterday."""
    now = datetime.now(UTC)
    return _make(folder, "expired", OWN_HOSTS[0], OWN_HOSTS, authority, (now - 30 * DAY, now - DAY))


def make_future_certificate(folder: Path, authority: CertificateFiles) -> CertificateFiles:
    """Not valid before tomorrow: what a client whose clock is slow sees in every certificate."""
    now = datetime.now(UTC)
    return _make(folder, "future", OWN_HOSTS[0], OWN_HOSTS, authority, (now + DAY, now + LIFETIME))


def make_self_signed_certificate(folder: Path) -> CertificateFiles:
    """For the right host, but vouched for by nobody."""
    now = datetime.now(UTC)
    return _make(folder, "self-signed", OWN_HOSTS[0], OWN_HOSTS, None, (now - DAY, now + LIFETIME))


def _make(
    folder: Path,
    name: str,
    common_name: str,
    hosts: Sequence[str],
    issuer: CertificateFiles | None,
    valid: tuple[datetime, datetime],
    is_root: bool = False,
) -> CertificateFiles:
    files = CertificateFiles(folder / f"{name}.pem", folder / f"{name}.key")
    if files.certificate.exists() and files.key.exists():
        return files
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(common_name)
    if issuer is None:
        issuer_name, issuer_key = subject, key
    else:
        issuer_name = x509.load_pem_x509_certificate(issuer.certificate.read_bytes()).subject
        issuer_key = _load_key(issuer.key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(_key_usage(is_root), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if hosts:
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(is_root: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_root,
        key_cert_sign=is_root,
        crl_sign=is_root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
