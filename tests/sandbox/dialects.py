"""Where BookLore, Grimmory and the WorldTeacher image differ, as one table.

Promises: a difference that is a value (a status, a text, a lifetime, a limit) is a column here; a difference that is
a missing or an extra endpoint is a row of `routes.ROUTES`. Handlers never compare dialect names.
Called by: everything that answers.
Law: the API map for BookLore 2.3.0, Grimmory 3.2.4 and the WorldTeacher image 2.3.0.
"""

from __future__ import annotations

from dataclasses import dataclass

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Dialect:
    name: str
    title: str  # for people
    version: str
    access_token_lifetime_s: int
    token_issuer: str | None  # the claim `iss`
    login_tells_expiry: bool  # `expires` in the login reply, and isDefaultPassword as a real boolean
    status_without_credentials: int
    status_for_wrong_koreader_key: int
    filter_errors_have_a_body: bool  # False: 401 and 403 from the filters come with nothing at all
    access_denied_text: str
    not_found_text: str | None  # None: each error names what was not found
    conflict_text: str | None  # None: each conflict says what is in the way
    status_for_wrong_path_variable: int
    unset_read_status: str  # what the absence of a read status is called
    sessions_per_page: int  # largest `size` of a list of reading sessions
    sessions_need_the_library: bool  # posting a session asks for access to the book's library
    null_koreader_percentage_fails: bool  # a null is unboxed, which ends in a 500
    first_read_sets_date_finished: bool  # by POST /books/progress
    web_progress_reaches_koreader: bool  # if both switches of the KOReader account are on
    bookmarks_have_page_numbers: bool
    komga_downloads_fail: bool  # a type of user that its code does not expect
    koreader_web_field: str  # the switch "sync with the web reader" in the KOReader account
    icon_types: frozenset[str]  # of shelves


BOOKLORE = Dialect(
    name="booklore",
    title="BookLore",
    version="v2.3.0",
    access_token_lifetime_s=10 * HOUR_S,
    token_issuer=None,
    login_tells_expiry=False,
    status_without_credentials=403,
    status_for_wrong_koreader_key=403,
    filter_errors_have_a_body=False,
    access_denied_text="Access Denied",
    not_found_text=None,
    conflict_text=None,
    status_for_wrong_path_variable=500,
    unset_read_status="UNSET",
    sessions_per_page=100,
    sessions_need_the_library=False,
    null_koreader_percentage_fails=True,
    first_read_sets_date_finished=False,
    web_progress_reaches_koreader=False,
    bookmarks_have_page_numbers=False,
    komga_downloads_fail=False,
    koreader_web_field="syncWithBookloreReader",
    icon_types=frozenset({"PRIME_NG", "CUSTOM_SVG"}),
)

GRIMMORY = Dialect(
    name="grimmory",
    title="Grimmory",
    version="v3.2.4",
    access_token_lifetime_s=2 * HOUR_S,
    token_issuer="booklore",
    login_tells_expiry=True,
    status_without_credentials=401,
    status_for_wrong_koreader_key=401,
    filter_errors_have_a_body=True,
    access_denied_text="Access denied.",
    not_found_text="The requested resource was not found.",
    conflict_text="The request conflicts with the current state.",
    status_for_wrong_path_variable=500,
    unset_read_status="UNSET",
    sessions_per_page=100,
    sessions_need_the_library=False,
    null_koreader_percentage_fails=False,
    first_read_sets_date_finished=True,
    web_progress_reaches_koreader=True,
    bookmarks_have_page_numbers=True,
    komga_downloads_fail=True,
    koreader_web_field="syncWithWebReader",
    icon_types=frozenset({"LUCIDE", "CUSTOM_SVG"}),
)

WORLDTEACHER = Dialect(
    name="worldteacher",
    title="the WorldTeacher image",
    version="v2.3.0",
    access_token_lifetime_s=10 * HOUR_S,
    token_issuer=None,
    login_tells_expiry=False,
    status_without_credentials=403,
    status_for_wrong_koreader_key=403,
    filter_errors_have_a_body=False,
    access_denied_text="Access Denied",
    not_found_text=None,
    conflict_text=None,
    status_for_wrong_path_variable=400,
    unset_read_status="UNREAD",
    sessions_per_page=10_000,
    sessions_need_the_library=True,
    null_koreader_percentage_fails=True,
    first_read_sets_date_finished=True,
    web_progress_reaches_koreader=False,
    bookmarks_have_page_numbers=False,
    komga_downloads_fail=False,
    koreader_web_field="syncWithBookloreReader",
    icon_types=frozenset({"PRIME_NG", "CUSTOM_SVG"}),
)

DIALECTS = {dialect.name: dialect for dialect in (BOOKLORE, GRIMMORY, WORLDTEACHER)}
