"""The list of everything that an executable is made of, with versions, licences and sources: CycloneDX 1.5.

Promises: a part that the ledger finds in the executable and that is not named here fails the build; the same executable
gives the same bytes.
Called by: delivery.py.
"""

import json
import uuid
from pathlib import Path
from urllib.parse import quote

from builder.failures import BuildError
from builder.ledger import REST, Ledger
from builder.module_list import Module
from builder.pins import Source
from builder.workshop import file_digest

# Which pinned sources stand behind which part of the ledger. The compiler's own libraries come with zig.
SOURCES_OF_PART = {
    "CPython": ("cpython",),
    "expat": ("expat",),
    "Python modules, frozen": ("cpython",),
    "OpenSSL": ("openssl",),
    "SQLite": ("sqlite",),
    "zlib": ("zlib",),
    "zstandard": ("zstandard",),
    "our own modules": (),
    "constants of our own modules, certificates": ("certifi",),
    "Nuitka's run time": ("nuitka",),
    "compiler-rt": ("compiler-rt",),
    "musl": ("musl",),
    "constants merged by the linker": (),
    REST: (),
}
# Parts that come inside another pinned source.
INSIDE = {
    "musl": ("zig", "1.2.5", "MIT"),
    "compiler-rt": ("zig", "", "MIT"),
    "expat": ("cpython", "", "MIT"),
}
NAMESPACE = uuid.UUID("6f1d5b1e-6a0f-5c36-9d5a-0c6a6f6b6c73")
PURL_TYPES = {"debian": "deb/debian", "pypi": "pypi"}
LICENCE_EXPRESSIONS = (" WITH ", " AND ", " OR ")
# Licence exceptions that have no SPDX identifier must be given as names.
NAMED_LICENCES = ("Nuitka-Runtime-Library-Exception",)


def sbom(
    executable: Path, version: str, ledger: Ledger, sources: dict[str, Source], modules: list[Module]
) -> dict[str, object]:
    """The document, ready for `json.dumps`."""
    strangers = set(ledger.parts) - set(SOURCES_OF_PART)
    if strangers:
        raise BuildError(
            f"parts of {executable.name} without a source in builder/sbom.py: {', '.join(sorted(strangers))}"
        )
    digest = file_digest(executable)
    keys = sorted({key for part in ledger.parts for key in SOURCES_OF_PART[part]})
    held = ", ".join(sorted(module.name for module in modules))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, digest)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "booklore-sync",
                "name": executable.name,
                "version": version,
                "licenses": [{"license": {"id": "MIT"}}],
                "hashes": [{"alg": "SHA-256", "content": digest}],
                "properties": [{"name": "booklore-sync:python-modules", "value": held}],
            },
            "tools": {"components": [{"type": "application", "name": "zig", "version": sources["zig"].version}]},
        },
        "components": [component(key, sources) for key in keys],
        "dependencies": [{"ref": "booklore-sync", "dependsOn": keys}],
    }


def component(key: str, sources: dict[str, Source]) -> dict[str, object]:
    """One part, with the files that it is made from."""
    holder, version, licence = INSIDE.get(key, (key, "", ""))
    source = sources[holder]
    files = [
        {
            "type": "distribution",
            "url": f"urn:{source.origin}:{source.package}:{source.wanted_version}:{file.name}",
            "hashes": [{"alg": "SHA-256", "content": file.sha256}],
        }
        for file in source.files
    ]
    return {
        "type": "library",
        "bom-ref": key,
        "name": key,
        "version": version or (source.version if holder == key else f"as in {holder} {source.version}"),
        "licenses": [_licence(licence or source.licence)],
        "purl": f"pkg:{PURL_TYPES[source.origin]}/{source.package}@{quote(source.wanted_version, safe='')}",
        "externalReferences": files,
    }


def as_json(document: dict[str, object]) -> str:
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _licence(text: str) -> dict[str, object]:
    if any(name in text for name in NAMED_LICENCES):
        return {"license": {"name": text}}
    if any(word in text for word in LICENCE_EXPRESSIONS):
        return {"expression": text}
    return {"license": {"id": text}}
