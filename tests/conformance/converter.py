"""The converter under test: `booklore-sync positions`, of the checkout or an executable, as a process with JSON lines.

Promises: as many answers as questions, in their order, or a ConverterFailed that says what happened. An executable for
ARM runs under qemu on the oldest processor that we support.
Never: looks into the converter.
Called by: `forward`, `reverse`, tests/web.
Law: docs/protocol.md, `positions`.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.device.executables import OLDEST_CPU, qemu_arm
from tests.reader import CHECKOUT_WORKER, ROOT

VERB = "positions"
RUN_LIMIT_S = 1800  # a book with some hundred places under qemu
ELF_MACHINE = slice(18, 20)
ELF_ARM = b"\x28\x00"
SAID_CHARACTERS = 2000


class ConverterFailed(Exception):
    """It ended with an error or did not answer every line."""


class Converter:
    def __init__(self, program: Path | None = None) -> None:
        """Without a program: the checkout."""
        self.command = CHECKOUT_WORKER if program is None else _command(program)

    def convert(self, book: Path, questions: Sequence[dict[str, Any]], reverse: bool = False) -> list[dict[str, Any]]:
        lines = "".join(json.dumps(question, ensure_ascii=False) + "\n" for question in questions)
        options = ["--reverse"] if reverse else []
        run = subprocess.run(
            [*self.command, VERB, str(book), *options],
            input=lines.encode(),
            capture_output=True,
            timeout=RUN_LIMIT_S,
            cwd=ROOT,
        )
        said = run.stderr.decode(errors="replace")[-SAID_CHARACTERS:]
        if run.returncode:
            raise ConverterFailed(f"{VERB} {book.name} ended with {run.returncode}: {said}")
        try:
            answers = [json.loads(line) for line in run.stdout.decode().splitlines()]
        except ValueError as error:
            raise ConverterFailed(f"{VERB} {book.name} wrote something that is no JSON: {error}") from error
        if len(answers) != len(questions):
            raise ConverterFailed(f"{VERB} {book.name}: {len(answers)} answers to {len(questions)} lines: {said}")
        return answers


def _command(program: Path) -> tuple[str, ...]:
    with program.open("rb") as file:
        is_arm = file.read(20)[ELF_MACHINE] == ELF_ARM
    path = str(program.absolute())
    return (qemu_arm(), "-cpu", OLDEST_CPU, path) if is_arm else (path,)
