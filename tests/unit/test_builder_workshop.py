"""The cache of the builder: what makes an entry new, and what an interrupted or failing build leaves behind."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from builder import commands, workshop
from builder.failures import BuildError
from builder.workshop import Bench, Workshop, open_workshop

STEP_FILE = str(workshop.BUILDER / "workshop.py")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setenv("BOOKLORESYNC_CACHE", str(tmp_path / "cache"))
    with open_workshop(jobs=1) as opened:
        return opened


def make_note(bench: Bench) -> None:
    (bench.result / "note").write_text("made")


def entry(shop: Workshop, inputs: object = "a", needs: tuple[Path, ...] = ()) -> Path:
    return shop.entry("step", "armv7", code=[STEP_FILE], inputs=inputs, needs=needs, make=make_note)


def test_an_entry_is_named_after_step_target_and_sixteen_digits_of_its_key(shop: Workshop) -> None:
    step, target, key = entry(shop).name.split("-")
    assert (step, target, len(key)) == ("step", "armv7", 16)
    assert set(key) <= set("0123456789abcdef")


def test_the_same_inputs_are_not_made_twice(shop: Workshop) -> None:
    made: list[str] = []

    def make(bench: Bench) -> None:
        made.append(bench.label)

    for _ in range(2):
        shop.entry("step", "armv7", code=[STEP_FILE], inputs=["a"], needs=[], make=make)
    assert made == ["step armv7"]


def test_other_settings_make_another_entry(shop: Workshop) -> None:
    assert entry(shop, "a") != entry(shop, "b")


def test_another_entry_to_build_on_makes_another_entry(shop: Workshop) -> None:
    assert entry(shop, needs=(Path("zlib-armv7-1"),)) != entry(shop, needs=(Path("zlib-armv7-2"),))


def test_a_step_that_fails_leaves_no_entry(shop: Workshop) -> None:
    def fail(bench: Bench) -> None:
        make_note(bench)
        raise BuildError("compiler is out of paper")

    with pytest.raises(BuildError, match="out of paper"):
        shop.entry("step", "armv7", code=[STEP_FILE], inputs="a", needs=[], make=fail)
    assert not list(shop.root.glob("step-*"))
    assert (entry(shop) / "note").read_text() == "made"


def test_what_an_interrupted_build_left_is_not_mixed_into_the_next(shop: Workshop) -> None:
    name = entry(shop).name
    half = shop.root / "unfinished" / name / "result"
    (shop.root / name).rename(shop.root / "elsewhere")
    half.mkdir(parents=True)
    (half / "rubbish").touch()
    assert [path.name for path in entry(shop).iterdir()] == ["note"]


def test_a_changed_comment_or_docstring_keeps_the_key_and_changed_code_does_not(tmp_path: Path) -> None:
    step = tmp_path / "step.py"
    digests = []
    for text in ('"""A."""\nx = 1\n', '"""B."""\n\n# why\nx = 1\n', '"""A."""\nx = 2\n'):
        step.write_text(text)
        digests.append(workshop._code_digest(step))
    assert digests[0] == digests[1] != digests[2]


def test_an_entry_that_no_build_asked_for_in_a_month_is_removed_and_others_stay(shop: Workshop) -> None:
    old, new = entry(shop, "old"), entry(shop, "new")
    downloads = shop.root / "downloads"
    downloads.mkdir()
    month_ago_s = time.time() - workshop.UNUSED_MAX_S - 60
    for path in (old, downloads):
        os.utime(path, (month_ago_s, month_ago_s))
    shop.forget_unused()
    assert (old.exists(), new.exists(), downloads.exists()) == (False, True, True)


def test_a_failing_command_is_reported_with_its_log_and_last_lines(tmp_path: Path) -> None:
    script = "print('ninety-nine bugs'); raise SystemExit(3)"
    log = tmp_path / "step.log"
    with pytest.raises(BuildError) as failure:
        commands.run("compile", [sys.executable, "-c", script], directory=tmp_path, log=log)
    assert "exit code 3" in str(failure.value)
    assert f"log: {log}" in str(failure.value)
    assert "| ninety-nine bugs" in str(failure.value)


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="'no-such-program' is not installed"):
        commands.run("compile", ["no-such-program"], directory=tmp_path, log=tmp_path / "log")


def test_a_long_command_shows_that_it_is_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "PROGRESS_INTERVAL_S", 0.1)
    script = "import time; print('line', flush=True); time.sleep(0.5)"
    commands.run("compile zlib", [sys.executable, "-c", script], directory=tmp_path, log=tmp_path / "log")
    assert "compile zlib: 0 s, " in capsys.readouterr().err


def test_flags_of_the_caller_do_not_reach_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CFLAGS", "-march=native")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert not {"CFLAGS", "PYTHONPATH"} & commands.clean_environment({}).keys()
