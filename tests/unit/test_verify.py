"""`builder.verify` against ELF files made here, byte by byte: a good one passes, each defect is named."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from builder import verify

ARM, X86_64 = 40, 62
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_GNU_STACK = 1, 2, 3, 4, 0x6474E551
READ_WRITE, READ_WRITE_EXECUTE = 6, 7
ARM_HARD_FLOAT = 0x05000400
# Tag numbers and values of the ARM ABI: v7, VFPv3-D16, arguments in VFP registers.
GOOD_ATTRIBUTES = {6: 10, 10: 4, 28: 1}
GNU_ABI_TAG_NOTE = struct.pack("<III4s4I", 4, 16, 1, b"GNU\0", 0, 3, 2, 0)
OTHER_NOTE = struct.pack("<III4s4s", 4, 4, 3, b"GNU\0", b"abcd")


def make_elf(
    *,
    bits: int = 32,
    machine: int = ARM,
    flags: int = ARM_HARD_FLOAT,
    kind: int = 2,
    segments: tuple[tuple[int, int, bytes], ...] = ((PT_LOAD, 5, b""), (PT_GNU_STACK, READ_WRITE, b"")),
    attributes: dict[int, int] | None = None,
    content: bytes = b"",
) -> bytes:
    """A file with these headers; its code is `content`, which nothing runs."""
    word = "I" if bits == 32 else "Q"
    header_size, program_size, section_size = (52, 32, 40) if bits == 32 else (64, 56, 64)
    contents_at = header_size + program_size * len(segments)
    program_headers, contents = b"", b""
    for segment_kind, segment_flags, data in segments:
        offset, size = contents_at + len(contents), len(data)
        if bits == 32:
            program_headers += struct.pack("<8I", segment_kind, offset, 0, 0, size, size, segment_flags, 4)
        else:
            program_headers += struct.pack("<IIQQQQQQ", segment_kind, segment_flags, offset, 0, 0, size, size, 8)
        contents += data
    contents += content
    section_headers = b""
    if machine == ARM and bits == 32:
        section = arm_attributes(GOOD_ATTRIBUTES if attributes is None else attributes)
        at = contents_at + len(contents)
        contents += section
        section_headers = struct.pack("<10I", 0, 0x70000003, 0, 0, at, len(section), 0, 0, 1, 0)
    section_at = contents_at + len(contents)
    identification = b"\x7fELF" + bytes([1 if bits == 32 else 2, 1, 1]) + bytes(9)
    counts = (header_size, program_size, len(segments), section_size, len(section_headers) // section_size, 0)
    header = struct.pack(f"<HHI3{word}I6H", kind, machine, 1, 0, header_size, section_at, flags, *counts)
    return identification + header + program_headers + contents + section_headers


def arm_attributes(numbers: dict[int, int]) -> bytes:
    tags = b"\x05cortex-a8\0" + b"".join(bytes([tag, value]) for tag, value in numbers.items())
    file_scope = b"\x01" + struct.pack("<I", 5 + len(tags)) + tags
    return b"A" + struct.pack("<I", 4 + len(b"aeabi\0") + len(file_scope)) + b"aeabi\0" + file_scope


def judged(tmp_path: Path, data: bytes, *options: str, target: str = "armv7") -> int:
    path = tmp_path / f"booklore-sync-{target}"
    path.write_bytes(data)
    return verify.main([str(path), *options])


STACK = (PT_GNU_STACK, READ_WRITE, b"")
BAD = {
    "a dynamic loader": (make_elf(segments=((PT_INTERP, 4, b"/lib/ld.so\0"), STACK)), "PT_INTERP"),
    "a dynamic section": (make_elf(segments=((PT_DYNAMIC, 6, bytes(8)), STACK)), "PT_DYNAMIC"),
    "a position-independent file": (make_elf(kind=3), "DYN, not EXEC"),
    "a kernel floor": (make_elf(segments=((PT_NOTE, 4, GNU_ABI_TAG_NOTE), STACK)), "NT_GNU_ABI_TAG"),
    "a kernel floor behind another note": (
        make_elf(segments=((PT_NOTE, 4, OTHER_NOTE + GNU_ABI_TAG_NOTE), STACK)),
        "NT_GNU_ABI_TAG",
    ),
    "an executable stack": (make_elf(segments=((PT_GNU_STACK, READ_WRITE_EXECUTE, b""),)), "the stack is executable"),
    "no word about the stack": (make_elf(segments=((PT_LOAD, 5, b""),)), "no PT_GNU_STACK"),
    "another machine": (make_elf(machine=X86_64), "machine is x86-64, not ARM"),
    "another word size": (make_elf(bits=64, machine=ARM), "bits is 64, not 32"),
    "soft float": (make_elf(flags=0x05000200), "flags is 0x5000200, not 0x5000400"),
    "soft float arguments": (make_elf(attributes={6: 10, 10: 4}), "Tag_ABI_VFP_args is core registers"),
    "an ARMv8 requirement": (make_elf(attributes={**GOOD_ATTRIBUTES, 6: 14}), "Tag_CPU_arch is v8"),
    "a VFPv4 requirement": (make_elf(attributes={**GOOD_ATTRIBUTES, 10: 5}), "Tag_FP_arch is VFPv4"),
    "a NEON requirement": (make_elf(attributes={**GOOD_ATTRIBUTES, 12: 1}), "Tag_Advanced_SIMD_arch is NEONv1"),
    "integer division": (make_elf(attributes={**GOOD_ATTRIBUTES, 44: 2}), "Tag_DIV_use is division"),
    "a home directory": (make_elf(content=b"\0/home/ann/booklore/device/worker.py\0"), "/home/ann/booklore"),
    "a home directory inside other text": (make_elf(content=b"u/root/project/x\0"), "/root/project"),
    "a temporary directory": (make_elf(content=b"/tmp/build-77/x.c\0"), "/tmp/build-77"),
    "a cache entry": (make_elf(content=b"./source-zlib-0123456789abcdef/crc32.c\0"), "source-zlib-0123456789abcdef"),
    "too many bytes": (make_elf(content=bytes(12_500_001)), "12,500,000 allowed"),
    "something that is not ELF": (b"MZ" + bytes(100), "not an ELF file"),
    "a file cut off in its headers": (make_elf()[:60], "damaged ELF file"),
    "a file cut off in a segment": (make_elf(segments=((PT_NOTE, 4, OTHER_NOTE), STACK))[:118], "behind the end"),
}


def test_a_good_executable_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judged(tmp_path, make_elf(content=b"/tmp\0/var/tmp\0/etc/resolv.conf\0")) == 0
    assert "BAD" not in capsys.readouterr().out


def test_a_good_64_bit_executable_passes(tmp_path: Path) -> None:
    assert judged(tmp_path, make_elf(bits=64, machine=X86_64, flags=0), target="x86_64") == 0


@pytest.mark.parametrize("what", BAD)
def test_an_executable_is_refused_for(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, complaint = BAD[what]
    assert judged(tmp_path, data) == 1
    bad_lines = [line for line in capsys.readouterr().out.splitlines() if ": BAD " in line]
    assert any(complaint in line for line in bad_lines), bad_lines


def test_text_forbidden_by_the_caller_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_elf(content=b"ann@workstation")
    assert judged(tmp_path, data) == 0
    assert judged(tmp_path, data, "--forbid", "ann@workstation") == 1
    assert "BAD holds 'ann@workstation'" in capsys.readouterr().out


def test_the_checkout_that_verifies_must_not_be_in_the_file_either(tmp_path: Path) -> None:
    assert judged(tmp_path, make_elf(content=str(Path(verify.__file__)).encode())) == 1


def test_a_note_that_asks_for_no_kernel_is_harmless(tmp_path: Path) -> None:
    assert judged(tmp_path, make_elf(segments=((PT_NOTE, 4, OTHER_NOTE), STACK))) == 0


def test_every_fact_is_printed_on_a_line_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged(tmp_path, make_elf())
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(set(lines)) > 10
    assert all(line.startswith("booklore-sync-armv7: ok ") for line in lines)


def test_a_file_whose_name_tells_no_target_needs_the_option(tmp_path: Path) -> None:
    path = tmp_path / "worker"
    path.write_bytes(make_elf())
    with pytest.raises(SystemExit, match="2"):
        verify.main([str(path)])
    assert verify.main([str(path), "--target", "armv7"]) == 0
