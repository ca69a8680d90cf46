"""KOReader's Lua files: what they say, and what becomes of those that are broken, cut off or hostile."""

from __future__ import annotations

import contextlib
import math
import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.koreader.lua_literals import CONTENT_MAX_BYTES, NESTING_MAX, VALUES_MAX, parse, sequence
from device.koreader.lua_scanner import LuaError, Truncated
from tests.soak import bounded

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "koreader"

SIDECAR = b"""-- /mnt/onboard/Moby Dick.epub.sdr/metadata.epub.lua
return {
    ["annotations"] = {
        [1] = {
            ["datetime"] = "2026-01-01 10:00:00",
            ["drawer"] = "lighten",
            ["note"] = "first line\\
second \\"line\\"",
            ["page"] = "/body/DocFragment[4]/body/p[3]/text().17",
        },
        [2] = {
            ["datetime"] = "2026-01-02 10:00:00",
        },
    },
    ["doc_pages"] = 210,
    ["percent_finished"] = 0.5,
    ["summary"] = {
        ["rating"] = 4,
        ["status"] = "reading",
    },
}
"""


def value(literal: str | bytes) -> Any:
    """What one value, written as a literal, is read as; None for nil."""
    content = literal.encode("utf-8") if isinstance(literal, str) else literal
    return parse(b"return { " + content + b" }").get(1)


def test_a_sidecar_is_read_as_koreader_wrote_it() -> None:
    table = parse(SIDECAR)
    assert table["doc_pages"] == 210
    assert table["percent_finished"] == 0.5
    assert table["summary"] == {"rating": 4, "status": "reading"}
    marks = sequence(table["annotations"])
    assert [mark["datetime"] for mark in marks if isinstance(mark, dict)] == [
        "2026-01-01 10:00:00",
        "2026-01-02 10:00:00",
    ]
    assert isinstance(marks[0], dict)
    assert marks[0]["note"] == 'first line\nsecond "line"'


@pytest.mark.parametrize(
    ("literal", "meant"),
    [
        (r'"\a\b\f\n\r\t\v\\\"\'"', "\a\b\f\n\r\t\v\\\"'"),
        (r"'it is \"quoted\"'", 'it is "quoted"'),
        (r'"\0\10\013\65z\0651"', "\0\n\rAzA1"),
        ('"a\\\nb"', "a\nb"),
        ('"a\\\r\nb"', "a\nb"),
        ('"a\\\rb"', "a\nb"),
        (r'"\x41\u{42}\u{1F600}\z   C"', "AB😀C"),
        (r'"\195\164"', "ä"),
        ("[[]]", ""),
        ("[[\nfirst]]", "first"),
        ("[==[a ]] b ]=] c]==]", "a ]] b ]=] c"),
        ("[[a\\n\r\nb]]", "a\\n\nb"),
    ],
)
def test_a_string_is_read_with_its_escapes(literal: str, meant: str) -> None:
    assert value(literal) == meant


@pytest.mark.parametrize(
    ("literal", "meant"),
    [
        ("0", 0),
        ("-17", -17),
        ("- 17", -17),
        ("3.25", 3.25),
        (".5", 0.5),
        ("5.", 5),
        ("1e+15", 10**15),
        ("1.5E-3", 0.0015),
        ("1e+100", 1e100),
        ("0x10", 16),
        ("0XfF", 255),
        ("0x.8p1", 1),
        ("9007199254740993", 9007199254740992.0),
        ("1LL", 1),
        ("0x10ULL", 16),
        ("inf", math.inf),
        ("-inf", -math.inf),
        ("math.huge", math.inf),
        ("1e999", math.inf),
    ],
)
def test_a_number_is_read_as_lua_prints_it(literal: str, meant: float) -> None:
    assert value(literal) == meant


@pytest.mark.parametrize("literal", ["nan", "-nan", "- nan"])
def test_not_a_number_is_a_number_too(literal: str) -> None:
    assert math.isnan(value(literal))


def test_a_whole_number_comes_as_one_however_it_is_spelled() -> None:
    assert [type(value(literal)) for literal in ("12", "12.0", "1.2e1", "0xC", "12.5")] == [int, int, int, int, float]


def test_true_false_and_nil() -> None:
    assert parse(b'return { ["a"] = true, ["b"] = false, ["c"] = nil }') == {"a": True, "b": False}


def test_implicit_indices_count_from_one_and_nil_takes_its_place() -> None:
    assert parse(b'return { "a", nil, ["key"] = 1, "c"; "d", }') == {1: "a", 3: "c", 4: "d", "key": 1}


def test_bare_names_and_other_keys() -> None:
    table = parse(b"return { name = 1, [2.0] = 2, [-1] = 3, [ [[long]] ] = 4, [true] = 5, [1.5] = 6, _x9 = 7 }")
    assert table == {"name": 1, 2: 2, -1: 3, "long": 4, "true": 5, 1.5: 6, "_x9": 7}


def test_a_key_that_comes_twice_has_its_last_value() -> None:
    assert parse(b"return { a = 1, a = 2 }") == {"a": 2}


def test_comments_may_stand_anywhere() -> None:
    text = b"-- file\n--[==[ long ]] ]==] return --[[x]] { --\n a --[[y]] = --z\n 1, --[==\n } --[[ end ]]"
    assert parse(text) == {"a": 1}


@pytest.mark.parametrize(
    "literal", ["function: 0x7f12ab", "function: builtin#29", "table: 0x41", "cdata<int [4]>: 0x40e", "userdata: (nil)"]
)
def test_what_no_literal_can_express_is_left_out(literal: str) -> None:
    assert parse(f'return {{ ["a"] = {literal}, ["b"] = 1 }}'.encode()) == {"b": 1}
    assert parse(f'return {{ ["b"] = 1, ["a"] = {literal}\n}}'.encode()) == {"b": 1}


def test_bytes_that_are_not_utf8_cost_only_themselves() -> None:
    assert parse(b'return { ["file"] = "/B\xfccher/caf\xc3\xa9.epub" }') == {"file": "/B\ufffdcher/café.epub"}


@pytest.mark.parametrize(
    "content", [b"{ a = 1 }", b"\xef\xbb\xbfreturn { a = 1 }", b"return{a=1};\r\n", b"return {a=1}"]
)
def test_what_stands_around_the_table_does_not_matter(content: bytes) -> None:
    assert parse(content) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"return 5", "line 1: a table was expected"),
        (b"return os.execute('reboot')", "a table was expected"),
        (b"return {\n os.time() }", "line 2: 'os' is not a literal"),
        (b"return { a = b }", "'b' is not a literal"),
        (b"return { 1 + 1 }", "a comma or the end of the table was expected"),
        (b'return { "a" .. "b" }', "a comma or the end of the table was expected"),
        (b"return { function() end }", "functions and other objects are not literals"),
        (b"return { -true }", "'true' is not a literal"),
        (b"return { [nil] = 1 }", "nil and nan cannot be keys"),
        (b"return { [nan] = 1 }", "nil and nan cannot be keys"),
        (b"return { [{}] = 1 }", "a value was expected"),
        (b"return { [1 = 1 }", "']' was expected"),
        (b"return { [1] 1 }", "'=' was expected"),
        (b'return { "a\nb" }', "a string goes over the end of its line"),
        (b'return { "\\q" }', "no such escape"),
        (b'return { "\\256" }', "no such escape"),
        (b'return { "\\xg0" }', "no such escape"),
        (b'return { "\\u{110000}" }', "no such escape"),
        (b"return { 1e }", "'1e' is not a number"),
        (b"return { 0x }", "'0x' is not a number"),
        (b"return { 1.2.3 }", "is not a number"),
        (b"return {} {}", "something follows the table"),
        (b"return { ,1 }", "a value was expected"),
        (b"\0" * 512, "a table was expected"),
        (b"return { " + b"9" * 65 + b" }", "a number of more than 64 bytes"),
    ],
)
def test_what_is_no_literal_is_refused_with_its_line(content: bytes, reason: str) -> None:
    with pytest.raises(LuaError) as problem:
        parse(content)
    assert reason in str(problem.value)


@pytest.mark.parametrize(
    "content", [b"", b"return ", b"return {", b"return { 1", b"return { 1,", b"return { a", b"return { a =",
                b'return { "a', b"return { [[a]", b"return { tr", b"return { [1", b"return { function: 0x7"]
)  # fmt: skip
def test_a_text_that_lost_its_tail_is_told_from_a_wrong_one(content: bytes) -> None:
    with pytest.raises(Truncated):
        parse(content)


def test_no_beginning_of_a_file_passes_for_the_whole() -> None:
    for length in range(len(SIDECAR) - 2):
        with pytest.raises(LuaError):
            parse(SIDECAR[:length])


def test_tables_may_be_nested_as_deep_as_the_limit_and_no_deeper() -> None:
    table: Any = parse(b"return " + b"{" * NESTING_MAX + b"}" * NESTING_MAX)
    for _ in range(NESTING_MAX - 1):
        table = table[1]
    assert table == {}
    with pytest.raises(LuaError, match="nested more than"):
        parse(b"return " + b"{" * 1_000_000)


def test_there_is_a_limit_to_the_number_of_values() -> None:
    assert len(parse(b"return {" + b"1," * VALUES_MAX + b"}")) == VALUES_MAX
    with pytest.raises(LuaError, match="values"):
        parse(b"return {" + b"1," * (VALUES_MAX + 1) + b"}")


def test_there_is_a_limit_to_the_length() -> None:
    with pytest.raises(LuaError, match="longer than"):
        parse(b" " * (CONTENT_MAX_BYTES + 1))


@pytest.mark.parametrize(
    "content",
    [
        b'return { "' + b"\\n" * 500_000 + b'" }',
        b'return { "' + b'\\"' * 500_000 + b'" }',
        b"return { " + b"function: 0x7\n," * 100_000 + b"}",
        b"return { " + b"--[==\n" * 200_000 + b"}",
        b"return { " + b"[" + b"=" * 1_000_000,
        b"return { " + b" " * 1_000_000 + b"}",
        b"return { " + b"-" * 1_000_000,
        b"return { " + b"{}," * 190_000 + b"}",
    ],
)
def test_no_megabyte_takes_long(content: bytes) -> None:
    """A step that looked at the rest of the text each time would take minutes for any of these."""
    started_s = time.process_time()
    with contextlib.suppress(LuaError):
        parse(content)
    assert time.process_time() - started_s < 20


Tree = Any
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
_NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False)
_KEYS = _TEXTS | st.integers(-5, 1_000)
_TREES: st.SearchStrategy[Tree] = st.recursive(
    st.booleans() | _NUMBERS | _TEXTS, lambda inner: st.dictionaries(_KEYS, inner, max_size=4), max_leaves=25
)


def quoted(text: str) -> bytes:
    """`%q` of LuaJIT: control characters as decimal escapes, three digits where a digit follows."""
    content = text.encode("utf-8")
    out = bytearray(b'"')
    for place, byte in enumerate(content):
        follows = content[place + 1 : place + 2]
        if byte in b'"\\':
            out += b"\\" + bytes((byte,))
        elif byte == 10:
            out += b"\\\n"
        elif byte < 32 or byte == 127:
            out += f"\\{byte:03d}".encode() if follows.isdigit() else f"\\{byte}".encode()
        else:
            out.append(byte)
    return bytes(out + b'"')


def dumped(tree: Tree, indent: int = 0) -> bytes:
    """A value as KOReader's dump writes it: four spaces a level, keys sorted, numbers as `tostring` prints them."""
    if isinstance(tree, dict):
        if not tree:
            return b"{}"
        lines = []
        for key in sorted(tree, key=lambda key: (str(type(key)), key)):
            name = quoted(key) if isinstance(key, str) else str(key).encode()
            lines.append(b"    " * (indent + 1) + b"[" + name + b"] = " + dumped(tree[key], indent + 1) + b",\n")
        return b"{\n" + b"".join(lines) + b"    " * indent + b"}"
    if isinstance(tree, str):
        return quoted(tree)
    return str(tree).lower().encode()


@given(st.dictionaries(_KEYS, _TREES, max_size=6))
@settings(max_examples=bounded(300, 5_000), deadline=None)
def test_what_koreader_writes_is_read_back_the_same(tree: Tree) -> None:
    assert parse(b"-- /mnt/onboard/book.lua\nreturn " + dumped(tree) + b"\n") == tree


@given(st.binary(max_size=200) | st.text("{}[]=,;\"'\\-.0x1eaf\n tru", max_size=60).map(str.encode))
@settings(max_examples=bounded(1_000, 50_000), deadline=None)
def test_no_bytes_make_it_fail_in_another_way(content: bytes) -> None:
    for text in (content, b"return {" + content + b"}"):
        try:
            parse(text)
        except LuaError as problem:
            assert str(problem)


@given(st.integers(0, len(SIDECAR) - 1), st.binary(max_size=3))
@settings(max_examples=bounded(300, 5_000), deadline=None)
def test_no_damage_to_a_file_makes_it_fail_in_another_way(at: int, damage: bytes) -> None:
    try:
        parse(SIDECAR[:at] + damage + SIDECAR[at + len(damage) :])
    except LuaError as problem:
        assert str(problem)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples of KOReader's own files here")
def test_koreaders_own_files_are_read() -> None:
    files = sorted(SAMPLES.rglob("*.lua"))
    assert len(files) > 5
    for file in files:
        assert parse(file.read_bytes())


# What LuaJIT itself makes of a text, as `kind:value` words; strings as hexadecimal. Names mean nothing to it here.
REFERENCE = r"""
local function word(value)
    local kind = type(value)
    if kind == "string" then
        return "s:" .. value:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
    elseif kind == "number" then
        return value ~= value and "nan" or ("n:%.17g"):format(value)
    elseif kind == "boolean" then
        return "b:" .. tostring(value)
    elseif kind == "table" then
        local entries = {}
        for key, inner in pairs(value) do entries[#entries + 1] = word(key) .. "=" .. word(inner) end
        table.sort(entries)
        return "{" .. table.concat(entries, ",") .. "}"
    end
    return kind
end
for line in io.lines() do
    local text = line:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end)
    local chunk = loadstring(text)
    if chunk then setfenv(chunk, {}) end
    local ok, value = pcall(chunk or error)
    print(ok and word(value) or "refused")
end
"""
_PIECES = [
    b"{", b"}", b"{", b"}", b"{}", b",", b";", b", ", b"=", b" = ", b"[1]", b"[ 'k' ]", b"[2]=", b"a", b"b=", b"[[l]]",
    b"[=[ ]] ]=]", b"1", b"-2", b"0x1F", b"1e3", b".5", b"3.", b"1..", b"nil", b"true", b"false", b"'s'", b'"t"',
    b'"\\65\\x42\\z  c"', b"'\\\n'", b'"\\', b"\\q", b"--x\n", b"--[[y]]", b"--[=[z\n]=]", b"\n", b" ", b"\r", b"\t",
    b"\xff", b'"\xe4"', b"[[\r\nq]]", b"\0", b"-",
]  # fmt: skip


def reference_word(value: Any) -> str:
    if isinstance(value, str):
        return "s:" + value.encode("utf-8").hex()
    if isinstance(value, bool):
        return f"b:{str(value).lower()}"
    if isinstance(value, int | float):
        return f"n:{value:.17g}"
    entries = [f"{reference_word(key)}={reference_word(inner)}" for key, inner in value.items()]
    return "{" + ",".join(sorted(entries)) + "}"


def luajit(texts: list[bytes]) -> list[str]:
    run = subprocess.run(
        ["luajit", "-e", REFERENCE],
        input="".join(text.hex() + "\n" for text in texts),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return run.stdout.splitlines()


@pytest.mark.skipif(shutil.which("luajit") is None, reason="luajit is not installed")
def test_what_is_read_is_what_luajit_reads() -> None:
    """Every text that is accepted here means the same there."""
    chance = random.Random(20_260_101)
    texts = [b"return " + dumped({"a": {1: "x", 2: "\0" + str(n)}, "n": n / 7, "q": '"\\\n\r'}) for n in range(50)]
    for _ in range(bounded(4_000, 100_000)):
        pieces = chance.choices(_PIECES, k=chance.randint(1, 9))
        texts.append(b"return {" + b"".join(pieces) + b"}")
    accepted = 0
    for text, meant in zip(texts, luajit(texts), strict=True):
        try:
            table = parse(text)
        except LuaError:
            continue
        accepted += 1
        if b"\xff" not in text and b"\xe4" not in text:
            assert reference_word(table) == meant, text
    assert accepted > 200


@pytest.mark.skipif(shutil.which("luajit") is None, reason="luajit is not installed")
def test_every_byte_survives_luajits_own_quoting() -> None:
    chance = random.Random(20_260_102)
    strings = [bytes((byte, ord("1"))) for byte in range(256)]
    strings += [bytes(chance.choices(range(256), k=chance.randint(0, 40))) for _ in range(500)]
    script = (
        'for line in io.lines() do local s = line:gsub("%x%x", function(d) return string.char(tonumber(d, 16)) end)'
        ' io.write((("%q"):format(s):gsub(".", function(c) return ("%02x"):format(c:byte()) end)), "\\n") end'
    )
    run = subprocess.run(
        ["luajit", "-e", script],
        input="".join(string.hex() + "\n" for string in strings),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    for string, line in zip(strings, run.stdout.splitlines(), strict=True):
        assert value(bytes.fromhex(line)) == string.decode("utf-8", "replace")
