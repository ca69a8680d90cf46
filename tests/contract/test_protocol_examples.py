"""The examples of docs/protocol.md are taken by the worker as they stand there."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from tests.reader import ROOT, Reader

DOCUMENT = (ROOT / "docs" / "protocol.md").read_text()


def examples(key: str) -> list[dict[str, Any]]:
    """The JSON lines of the document that have `key`."""
    lines = [json.loads(line) for line in DOCUMENT.splitlines() if line.startswith("{")]
    return [line for line in lines if key in line]


def test_the_journal_of_the_document_makes_two_sessions(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "data")
    lines = [line for line in examples("ev") if line["ev"] != "marks"]
    assert {line["ev"] for line in lines} == {"open", "page", "suspend", "resume", "close", "snapshot"}
    journal = reader.data / "journal" / f"{lines[0]['id']}.jsonl"
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert reader.run_job("ingest")["counts"]["recorded"] == 2


def test_the_marks_of_the_document_are_taken(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "data")
    opened, *_ = examples("ev")
    [line] = [line for line in examples("ev") if line["ev"] == "marks"]
    journal = reader.data / "journal" / f"{opened['id']}.jsonl"
    journal.write_text("".join(json.dumps(one) + "\n" for one in (opened, line | {"n": 1})))
    reader.run("ingest")
    with contextlib.closing(sqlite3.connect(reader.data / "state.sqlite")) as store:
        [(kind, made_at, device)] = store.execute("SELECT kind, made_at, device FROM mark").fetchall()
    assert (kind, made_at) == ("highlight", "2026-11-23 07:15:41")
    assert json.loads(device)["note"] == "The famous one"


def test_the_job_of_the_document_is_taken(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "data")
    [job] = examples("deadline_s")
    path = tmp_path / "job.json"
    path.write_text(json.dumps(job))
    assert reader.run(job["verb"], "--job", str(path)).returncode == 3
    result = json.loads((reader.data / "results" / f"{job['job']}.json").read_text())
    [documented] = examples("outcome")
    assert set(result) == set(documented)
    assert set(result["counts"]) == set(documented["counts"])


def test_the_menu_of_the_document_has_the_fields_of_a_real_one(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "data")
    reader.run("status")
    real = json.loads((reader.data / "menu.json").read_text())
    [documented] = examples("items")
    fields = {item["kind"]: set(item) for item in real["items"]}
    for item in documented["items"]:
        assert set(item) == fields[item["kind"]]
