"""What goes into the image and the package: the list of modules, the size ledger, the list of parts, the zip."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path

import pytest

from builder import plugin_package, sbom
from builder.failures import BuildError
from builder.ledger import UNKNOWN, ledger
from builder.module_list import Module, load_modules
from builder.pins import load_sources
from builder.plan import refuse_strangers
from builder.steps import frozen_modules
from builder.steps.program import inittab

CONFIG = """\
extern PyObject* PyInit_zlib(void);
struct _inittab _PyImport_Inittab[] = {
    {"zlib", PyInit_zlib},
    {"unicodedata", PyInit_unicodedata},
    {"sys", NULL},
    {0, 0}
};
"""
MAP = """\
             VMA              LMA     Size Align Out     In      Symbol
             100              100       30     8 .text
             100              100       10     8         /c/lib/libpython3.11.a(eval.o):(.text.eval)
             100              100       10     1                 _PyEval
             110              110       20     8         module.device.worker.o:(.text)
             200              200      100     8 .bss
             200              200      100     8         /c/lib/libssl.a(x.o):(.bss)
               0                0       40     1 .symtab
               0                0       40     1         <internal>:(.symtab)
"""


def frozen(name: str, file: str) -> Module:
    return Module(name=name, kind="frozen", device=False, reason="a test", file=file)


def check(tmp_path: Path, text: str) -> None:
    path = tmp_path / "codecs.py"
    path.write_text(text)
    modules = [frozen("codecs", "codecs.py"), Module("sys", "builtin", True, "a test")]
    frozen_modules.check_closed(modules, {"codecs": path})


@pytest.mark.parametrize(
    "text",
    ["import re\n", "from re import compile\n", "if True:\n    import re\n", "class A:\n    import re\n"],
)
def test_a_frozen_module_that_imports_a_stranger_stops_the_build_with_the_chain(text: str, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"'re' is not on the list(.|\n)*codecs\.py, line \d(.|\n)*because of: a test"):
        check(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    ["import sys\n", "def f():\n    import re\n", "try:\n    import re\nexcept ImportError:\n    re = None\n"],
)
def test_imports_that_need_not_succeed_at_start_are_let_pass(text: str, tmp_path: Path) -> None:
    check(tmp_path, text)


def test_a_stranger_that_our_own_code_imports_stops_the_build_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("def f():\n    import re\n")
    with pytest.raises(BuildError, match=r"__main__\.py:2: module: re: "):
        refuse_strangers(tmp_path)


def test_every_module_on_the_list_has_a_reason_and_a_file_if_it_is_python() -> None:
    modules = load_modules()
    assert len({module.name for module in modules}) == len(modules) > 20
    for module in modules:
        assert module.reason
        assert bool(module.file) == (module.kind != "builtin")


def test_the_table_of_builtin_modules_holds_the_wanted_ones_only() -> None:
    table = inittab(CONFIG, ["zlib", "sys"])
    assert '{"zlib", PyInit_zlib}' in table
    assert '{"sys", NULL}' in table
    assert '{"unicodedata"' not in table
    assert "{0, 0}" in table


def test_expat_is_a_part_of_its_own_that_comes_with_cpython(tmp_path: Path) -> None:
    executable, link_map = tmp_path / "program", tmp_path / "link.map"
    executable.write_bytes(bytes(100))
    link_map.write_text(MAP.replace("libpython3.11.a(eval.o)", "libexpat.a(xmlparse.o)"))
    costs = ledger("armv7", executable, link_map)
    assert costs.parts["expat"] == 16
    components = sbom.sbom(executable, "1.0", costs, load_sources(), load_modules())["components"]
    assert isinstance(components, list)
    assert [(part["name"], part["version"][:13]) for part in components] == [("expat", "as in cpython")]


def test_a_builtin_module_that_does_not_exist_is_named() -> None:
    with pytest.raises(BuildError, match="_nosuch"):
        inittab(CONFIG, ["zlib", "_nosuch"])


def test_the_ledger_adds_up_to_the_file_and_counts_nothing_that_is_not_in_it(tmp_path: Path) -> None:
    executable, link_map = tmp_path / "program", tmp_path / "link.map"
    executable.write_bytes(bytes(100))
    link_map.write_text(MAP)
    costs = ledger("armv7", executable, link_map)
    assert costs.parts == {"headers and alignment": 52, "our own modules": 32, "CPython": 16}
    assert json.loads(costs.as_json())["total_bytes"] == sum(costs.parts.values()) == 100
    assert "our own modules" in costs.as_text()


def test_a_part_that_nobody_knows_stops_the_list_of_parts(tmp_path: Path) -> None:
    executable, link_map = tmp_path / "program", tmp_path / "link.map"
    executable.write_bytes(bytes(100))
    link_map.write_text(MAP.replace("libpython3.11.a", "libmystery.a"))
    costs = ledger("armv7", executable, link_map)
    assert UNKNOWN in costs.parts
    with pytest.raises(BuildError, match="unknown"):
        sbom.sbom(executable, "1.0", costs, load_sources(), load_modules())


def test_the_list_of_parts_names_version_licence_and_hash_of_every_part(tmp_path: Path) -> None:
    executable, link_map = tmp_path / "program", tmp_path / "link.map"
    executable.write_bytes(bytes(100))
    link_map.write_text(MAP)
    document = sbom.sbom(executable, "1.0", ledger("armv7", executable, link_map), load_sources(), load_modules())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    components = document["components"]
    assert isinstance(components, list)
    assert [component["name"] for component in components] == ["cpython"]
    for component in components:
        assert component["version"]
        assert component["licenses"]
        assert all(reference["hashes"][0]["content"] for reference in component["externalReferences"])


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    launcher = tmp_path / plugin_package.LAUNCHER
    launcher.mkdir(parents=True)
    (launcher / "main.lua").write_text("return {}")
    (tmp_path / "LICENSE").write_text("MIT")
    (tmp_path / "booklore-sync-armv7").write_bytes(b"\x7fELF")
    return tmp_path


def packed(repository: Path) -> bytes:
    return plugin_package.package(repository, [repository / "booklore-sync-armv7"], "notices")


def test_the_package_has_one_root_folder_with_launcher_executables_and_licences(repository: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(packed(repository))) as archive:
        assert archive.namelist() == [
            "bookloresync.koplugin/LICENSE",
            "bookloresync.koplugin/THIRD-PARTY-NOTICES.txt",
            "bookloresync.koplugin/bin/booklore-sync-armv7",
            "bookloresync.koplugin/main.lua",
        ]


def test_executables_may_be_executed_and_nothing_else_may(repository: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(packed(repository))) as archive:
        modes = {item.filename.split("/", 1)[1]: item.external_attr >> 16 & 0o777 for item in archive.infolist()}
    assert modes.pop("bin/booklore-sync-armv7") == 0o755
    assert set(modes.values()) == {0o644}


def test_the_package_is_the_same_whenever_it_is_made(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = packed(repository)
    (repository / plugin_package.LAUNCHER / "main.lua").touch()
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    assert packed(repository) == first
