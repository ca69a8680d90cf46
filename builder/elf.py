"""Reads the facts of an ELF file that `verify` judges.

Promises: pure Python, no tool of the machine; a file that is cut short or not ELF raises `ElfError`, nothing else.
Called by: verify.py. Law: the ELF specification (gABI 4.1); for ARM attributes, "Addenda to the ABI for the Arm
Architecture", section 3.
"""

import struct
from dataclasses import dataclass

PT_DYNAMIC, PT_INTERP, PT_NOTE = 2, 3, 4
PT_GNU_STACK = 0x6474E551
PF_X = 1
SHT_ARM_ATTRIBUTES = 0x70000003
MACHINES = {40: "ARM", 62: "x86-64", 183: "AArch64"}
ELF_TYPES = {2: "EXEC", 3: "DYN"}
NOTE_NAME_GNU, NT_GNU_ABI_TAG = b"GNU\0", 1
# Attributes whose value is text; all others with an even number or below 32 are numbers.
ARM_TEXT_TAGS = (4, 5, 67)
ARM_COMPATIBILITY_TAG = 32
ARM_FILE_SCOPE = 1
ARM_TAGS = {
    6: "Tag_CPU_arch",
    10: "Tag_FP_arch",
    12: "Tag_Advanced_SIMD_arch",
    28: "Tag_ABI_VFP_args",
    44: "Tag_DIV_use",
}
ARM_VALUES = {
    "Tag_CPU_arch": {6: "v6", 10: "v7", 14: "v8"},
    "Tag_FP_arch": {0: "none", 1: "VFPv1", 2: "VFPv2", 3: "VFPv3", 4: "VFPv3-D16", 5: "VFPv4", 6: "VFPv4-D16"},
    "Tag_Advanced_SIMD_arch": {0: "none", 1: "NEONv1", 2: "NEONv1 with fused multiply", 3: "v8"},
    "Tag_ABI_VFP_args": {0: "core registers", 1: "VFP registers", 2: "custom", 3: "either"},
    # 0 allows what the architecture has; before v7 of the R and M profiles and the v7 extensions, that is no division.
    "Tag_DIV_use": {0: "none", 1: "none", 2: "division"},
}


class ElfError(Exception):
    """Not an ELF file, or a damaged one."""


@dataclass(frozen=True)
class Segment:
    """One program header; of its content only what is in the file."""

    kind: int
    flags: int
    content: bytes


@dataclass(frozen=True)
class Elf:
    """What the headers say."""

    bits: int
    type: str
    machine: str
    flags: int
    segments: tuple[Segment, ...]
    arm_attributes: dict[str, str]

    def of_kind(self, kind: int) -> list[Segment]:
        return [segment for segment in self.segments if segment.kind == kind]

    def has_kernel_floor(self) -> bool:
        """Whether a note says "needs Linux of at least ..." to the loader."""
        return any(
            name == NOTE_NAME_GNU and kind == NT_GNU_ABI_TAG
            for segment in self.of_kind(PT_NOTE)
            for name, kind in _notes(segment.content)
        )


def read_elf(data: bytes) -> Elf:
    """Parses the headers of a little-endian ELF file."""
    try:
        return _read(data)
    except (struct.error, IndexError, ValueError) as error:
        raise ElfError(f"damaged ELF file: {error}") from error


def _read(data: bytes) -> Elf:
    if data[:4] != b"\x7fELF":
        raise ElfError("not an ELF file")
    bits = {1: 32, 2: 64}.get(data[4], 0)
    if not bits or data[5] != 1:
        raise ElfError("neither 32 nor 64 bits, or not little-endian")
    word = "I" if bits == 32 else "Q"
    header = struct.unpack_from(f"<HHI3{word}IHHHHHH", data, 16)
    elf_type, machine, _version, _entry, program_at, section_at, flags = header[:7]
    _header_size, program_size, program_count, section_size, section_count = header[7:12]
    segments = []
    for index in range(program_count):
        at = program_at + index * program_size
        if bits == 32:
            kind, offset, _, _, file_size, _, segment_flags, _ = struct.unpack_from("<8I", data, at)
        else:
            kind, segment_flags, offset, _, _, file_size, _, _ = struct.unpack_from("<IIQQQQQQ", data, at)
        if offset + file_size > len(data):
            raise ElfError(f"program header {index} points behind the end of the file")
        segments.append(Segment(kind, segment_flags, data[offset : offset + file_size]))
    attributes: dict[str, str] = {}
    for index in range(section_count):
        at = section_at + index * section_size
        _name, section_kind, *_, = struct.unpack_from("<II", data, at)  # fmt: skip
        if section_kind == SHT_ARM_ATTRIBUTES and MACHINES.get(machine) == "ARM":
            offset, size = struct.unpack_from("<II", data, at + 16)
            attributes = _arm_attributes(data[offset : offset + size])
    return Elf(
        bits=bits,
        type=ELF_TYPES.get(elf_type, f"type {elf_type}"),
        machine=MACHINES.get(machine, f"machine {machine}"),
        flags=flags,
        segments=tuple(segments),
        arm_attributes=attributes,
    )


def _notes(content: bytes) -> list[tuple[bytes, int]]:
    found, at = [], 0
    while at + 12 <= len(content):
        name_size, description_size, kind = struct.unpack_from("<III", content, at)
        found.append((content[at + 12 : at + 12 + name_size], kind))
        at += 12 + (name_size + 3) // 4 * 4 + (description_size + 3) // 4 * 4
    return found


def _arm_attributes(section: bytes) -> dict[str, str]:
    """The file-scope attributes of the "aeabi" vendor, in words; an attribute that is absent has the value 0."""
    if section[:1] != b"A":
        raise ElfError("build attributes of an unknown format")
    numbers: dict[int, int] = {}
    at = 1
    while at + 4 < len(section):
        (length,) = struct.unpack_from("<I", section, at)
        if length < 5:
            raise ElfError("build attributes of no length")
        vendor, _, content = section[at + 4 : at + length].partition(b"\0")
        if vendor == b"aeabi" and content[:1] == bytes([ARM_FILE_SCOPE]):
            numbers |= _arm_numbers(content[5:])
        at += length
    return {
        name: ARM_VALUES[name].get(numbers.get(tag, 0), f"value {numbers.get(tag)}") for tag, name in ARM_TAGS.items()
    }


def _arm_numbers(content: bytes) -> dict[int, int]:
    numbers: dict[int, int] = {}
    at = 0
    while at < len(content):
        tag, at = _uleb128(content, at)
        if tag == ARM_COMPATIBILITY_TAG:
            _, at = _uleb128(content, at)
        if tag in ARM_TEXT_TAGS or tag == ARM_COMPATIBILITY_TAG or (tag > ARM_COMPATIBILITY_TAG and tag % 2):
            at = content.index(b"\0", at) + 1
        else:
            numbers[tag], at = _uleb128(content, at)
    return numbers


def _uleb128(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return value, at
