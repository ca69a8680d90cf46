"""What we change in Nuitka: an upgrade that moves something must fail with the name of what has moved."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from builder import nuitka_codegen

ORIGINAL = "begin\n" + "middle\n".join(nuitka_codegen.MAIN_PROGRAM_CHANGES) + "end\n"


def test_the_main_program_starts_from_frozen_modules_and_leaves_inspect_alone() -> None:
    changed = nuitka_codegen.main_program(ORIGINAL)
    assert "use_frozen_modules = 1" in changed
    assert "use_frozen_modules = 0" not in changed
    assert "patchInspectModule" not in changed
    assert changed.startswith("begin\n")
    assert changed.endswith("end\n")


@pytest.mark.parametrize("line", nuitka_codegen.MAIN_PROGRAM_CHANGES)
def test_a_line_that_is_gone_or_there_twice_is_named(line: str) -> None:
    with pytest.raises(AssertionError, match="0 times"):
        nuitka_codegen.main_program(ORIGINAL.replace(line, ""))
    with pytest.raises(AssertionError, match="2 times"):
        nuitka_codegen.main_program(ORIGINAL + line)


def test_a_name_that_is_gone_is_named() -> None:
    module = SimpleNamespace(__name__="nuitka.MainControl")
    with pytest.raises(AssertionError, match=r"nuitka\.MainControl has no 'runSconsBackend' any more"):
        nuitka_codegen._existing(module, "runSconsBackend")


def test_the_stub_gives_the_smallest_target_s_size_of_a_long() -> None:
    namespace: dict[str, object] = {}
    exec(nuitka_codegen.STUBS["ctypes/__init__.py"], namespace)
    sizeof = namespace["sizeof"]
    assert callable(sizeof)
    assert sizeof(namespace["c_long"]) == 4
