"""The marks of one book together: which of two at the same words counts, and when so much would go that the reader has
to be asked.

Promises: before the reader has answered, nothing of what would be deleted is deleted, on either side; everything else
goes on.
Called by: `device/sending/annotations.py`.
"""

from __future__ import annotations

from device.core.annotations.calls import CREATE
from device.core.annotations.destinations import Wishes
from device.core.annotations.holding import DELETED, HERE, LOST, MAIN, Holding
from device.core.annotations.merge import GO_AHEAD, RESTORE, Plan, plan
from device.core.outbox import HIGHLIGHT

# More deletions than this at once, and more than half of what both sides had: hardly one by one. A reader who thins out
# her highlights deletes a handful between two syncs; a lost file or an emptied library takes nearly all.
MASS_MORE_THAN = 5

GONE_HERE, GONE_THERE, RECORD_LOST = "gone_here", "gone_there", "record_lost"


class Question:
    """To be asked before `count` marks of the book are deleted. `why`: GONE_HERE (the reader deleted them on the
    device; on the server, too?), GONE_THERE (the other way round), RECORD_LOST (KOReader's record of the book is not
    there any more: given back, or deleted on the server, too?). Answers: RESTORE, GO_AHEAD (`merge.py`)."""

    __slots__ = ("count", "why")

    def __init__(self, why: str, count: int) -> None:
        self.why = why
        self.count = count


class BookPlan:
    """`plans`: those that may be applied. `question`: about the others, which stay as they are until it is answered.

    `wants_second_look`: something without a place is to be created there. Once the plans are applied, `pair_rows` and
    `plan_all` come again with the same rows, before anything is sent: perhaps it is there already.
    """

    __slots__ = ("plans", "question", "wants_second_look")

    def __init__(self, plans: list[Plan], question: Question | None) -> None:
        self.plans = plans
        self.question = question
        self.wants_second_look = any(call.op == CREATE and call.needs_list for made in plans for call in made.calls)


def plan_all(holdings: list[Holding], wishes: Wishes, about: str = "", answer: str = "") -> BookPlan:
    """`answer`: to the question `about` which the reader was asked (one of the whys); empty if there is none."""
    if (about, answer) == (RECORD_LOST, GO_AHEAD) and _all_lost(holdings):
        for holding in holdings:
            if holding.gone == LOST:
                holding.gone = DELETED
    second = seconds(holdings)
    plans = [plan(holding, wishes, "", holding.key in second) for holding in holdings]
    questions = _questions(holdings, plans)
    if answer == GO_AHEAD:
        answered = (about, GONE_HERE) if about == RECORD_LOST else (about,)
        questions = [question for question in questions if question.why not in answered]
    elif answer == RESTORE:
        for question in [question for question in questions if question.why == about]:
            questions.remove(question)
            plans = [
                plan(made.holding, wishes, RESTORE, made.holding.key in second) if is_about(question, made) else made
                for made in plans
            ]
    plans = [made for made in plans if not any(is_about(question, made) for question in questions)]
    return BookPlan(plans, questions[0] if questions else None)


def seconds(holdings: list[Holding]) -> set[int]:
    """Keys of the highlights at whose very words another one stands, which comes first there."""
    first: dict[str, Holding] = {}
    seconds: set[int] = set()
    for holding in sorted(holdings, key=_rank):
        if holding.kind != HIGHLIGHT or not holding.place or holding.wanted() is None:
            continue
        if holding.place in first:
            seconds.add(holding.key)
        else:
            first[holding.place] = holding
    return seconds


def _rank(holding: Holding) -> tuple[int, str, int]:
    main, mark = holding.link(MAIN), holding.wanted()
    if main is None or (main.remote_id is None and main.row is None and main.sent_server is None):
        rank = 2
    else:
        rank = 0 if main.remote_id is not None or main.row is not None else 1
    return rank, "" if mark is None else mark.made_at, holding.key


def _questions(holdings: list[Holding], plans: list[Plan]) -> list[Question]:
    lost = sum(made.gives_back for made in plans) if _all_lost(holdings) else 0
    both_had = sum(
        1 for holding in holdings if any(link.role == MAIN and link.agreed_server is not None for link in holding.links)
    )
    questions = [Question(RECORD_LOST, lost)] if lost else []
    for why in (GONE_HERE, GONE_THERE):
        question = Question(why, sum(_is_counted(why, made) for made in plans))
        if question.count > MASS_MORE_THAN and question.count * 2 > both_had:
            questions.append(question)
    return questions


def is_about(question: Question, made: Plan) -> bool:
    """Whether this plan waits for the answer."""
    return made.gives_back if question.why == RECORD_LOST else _is_counted(question.why, made)


def _is_counted(why: str, made: Plan) -> bool:
    return made.deletes_there if why == GONE_HERE else made.removes_here


def _all_lost(holdings: list[Holding]) -> bool:
    """Nothing is left on the device, and the reader did not delete it."""
    return any(holding.gone == LOST for holding in holdings) and not any(
        holding.gone == HERE and holding.device is not None for holding in holdings
    )
