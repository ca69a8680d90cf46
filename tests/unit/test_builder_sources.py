"""Fetching sources: nothing unverified is used, and what is missing is named so that a person can supply it."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from builder.failures import BuildError
from builder.pins import Source, SourceFile, load_sources, load_targets
from builder.steps import sources
from builder.workshop import BUILDER, Workshop, open_workshop


def archive_of(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def source_of(*files: tuple[str, bytes], patches: tuple[str, ...] = ()) -> Source:
    pinned = tuple(SourceFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files)
    return Source("part", "1.0", "MIT", (), "executable", "debian", "no-such-package", pinned, patches)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setenv("BOOKLORESYNC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BOOKLORESYNC_SOURCES", str(tmp_path / "kept"))
    (tmp_path / "kept").mkdir()
    with open_workshop(jobs=1) as opened:
        return opened


def test_a_kept_file_is_used_and_unpacked(shop: Workshop, tmp_path: Path) -> None:
    data = archive_of({"part-1.0/README": "hello\n"})
    (tmp_path / "kept" / "part.tar.gz").write_bytes(data)
    assert (sources.source_tree(shop, source_of(("part.tar.gz", data))) / "README").read_text() == "hello\n"


def test_a_kept_file_with_other_content_is_refused(shop: Workshop, tmp_path: Path) -> None:
    data = archive_of({"part-1.0/README": "hello\n"})
    (tmp_path / "kept" / "part.tar.gz").write_bytes(data[:-1] + b"?")
    with pytest.raises(BuildError, match="has sha256"):
        sources.source_tree(shop, source_of(("part.tar.gz", data)))


def test_a_kept_file_of_another_size_is_refused(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "kept" / "part.tar.gz").write_bytes(b"short")
    with pytest.raises(BuildError, match="has 5 bytes, not"):
        sources.source_tree(shop, source_of(("part.tar.gz", archive_of({}))))


def test_patches_are_applied_in_the_order_of_the_series_and_only_those_asked_for(
    shop: Workshop, tmp_path: Path
) -> None:
    tree = archive_of({"part-1.0/README": "one\n"})
    first = "--- a/README\n+++ b/README\n@@ -1 +1 @@\n-one\n+two\n"
    second = first.replace("two", "three").replace("one", "two")
    packaging = archive_of(
        {
            "debian/patches/series": "CVE-b.patch\nfolders.patch\nCVE-a.patch\n",
            "debian/patches/CVE-b.patch": first,
            "debian/patches/CVE-a.patch": second,
            "debian/patches/folders.patch": "this would not apply",
        }
    )
    for name, data in (("part.tar.gz", tree), ("part.debian.tar.gz", packaging)):
        (tmp_path / "kept" / name).write_bytes(data)
    source = source_of(("part.tar.gz", tree), ("part.debian.tar.gz", packaging), patches=("CVE-*",))
    assert (sources.source_tree(shop, source) / "README").read_text() == "three\n"


def test_a_pattern_that_no_patch_matches_any_more_stops_the_build(shop: Workshop, tmp_path: Path) -> None:
    tree, packaging = archive_of({"p/README": ""}), archive_of({"debian/patches/series": "other.patch\n"})
    for name, data in (("part.tar.gz", tree), ("part.debian.tar.gz", packaging)):
        (tmp_path / "kept" / name).write_bytes(data)
    source = source_of(("part.tar.gz", tree), ("part.debian.tar.gz", packaging), patches=("CVE-*",))
    with pytest.raises(BuildError, match=r"no patch .* is called 'CVE-\*' any more"):
        sources.source_tree(shop, source)


def test_a_file_that_cannot_be_fetched_is_named_with_its_hash_and_where_to_put_it(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_arguments: object) -> None:
        raise BuildError("apt says no")

    monkeypatch.setattr(sources, "_apt_source", gone)
    source = source_of(("part.tar.gz", b"data"))
    with pytest.raises(BuildError) as failure:
        sources.source_tree(shop, source)
    for part in ("apt says no", "part.tar.gz", source.files[0].sha256, "BOOKLORESYNC_SOURCES", "sources.toml"):
        assert part in str(failure.value)


def test_every_pin_has_a_size_a_hash_and_a_licence() -> None:
    for source in load_sources().values():
        assert source.licence
        assert source.part_of in ("executable", "toolchain")
        for file in source.files:
            assert file.size > 0
            assert len(file.sha256) == 64


def test_the_three_targets_of_the_product_are_there() -> None:
    assert set(load_targets()) == {"armv7", "aarch64", "x86_64"}


def test_the_list_for_scanners_says_what_is_pinned() -> None:
    pinned = {
        f"{source.package}=={source.version} --hash=sha256:{source.files[0].sha256}"
        for source in load_sources().values()
        if source.origin == "pypi"
    }
    lines = (BUILDER / "requirements.txt").read_text().splitlines()
    assert {line for line in lines if line and not line.startswith("#")} == pinned
