"""The package that a reader unpacks into KOReader's plugin folder.

Promises: one root folder; the launcher's Lua, the executables of all architectures, our licence and those of all parts.
The same content gives the same bytes: names sorted, one fixed time, fixed permissions.
Called by: delivery.py.
"""

import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from builder.pins import Source

ROOT = "bookloresync.koplugin"
FILE_NAME = f"{ROOT}.zip"
LAUNCHER = Path("device/launcher") / ROOT
# 1980-01-01, the earliest that the format can say: no time zone can push it out of range.
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
UNIX = 3
REGULAR_FILE = 0o100000
NOTICES_HEAD = """\
BookLore Sync is under the MIT licence (LICENSE). Its executables hold the following works of others.
"""


def package(repository: Path, executables: Iterable[Path], notices: str) -> bytes:
    """The zip file."""
    files = {
        str(path.relative_to(repository / LAUNCHER)): path.read_bytes()
        for path in (repository / LAUNCHER).rglob("*")
        if path.is_file()
    }
    files["LICENSE"] = (repository / "LICENSE").read_bytes()
    files["THIRD-PARTY-NOTICES.txt"] = notices.encode()
    programs = {f"bin/{path.name}": path.read_bytes() for path in executables}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted((files | programs).items()):
            info = zipfile.ZipInfo(f"{ROOT}/{name}", FIXED_TIME)
            info.create_system = UNIX
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (REGULAR_FILE | (0o755 if name in programs else 0o644)) << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def notices(sources: dict[str, Source], tree: Callable[[str], Path]) -> str:
    """Names, versions and licence texts of what is built in; `tree` gives the unpacked source of a part."""
    chapters = [NOTICES_HEAD]
    for key, source in sorted(sources.items()):
        chapters.append(f"{'=' * 78}\n{key} {source.version}\nLicence: {source.licence}\n")
        for name in source.licence_files:
            chapters.append(f"{'-' * 78}\n{name}\n\n{(tree(key) / name).read_text(errors='replace').strip()}\n")
    return "\n".join(chapters)
