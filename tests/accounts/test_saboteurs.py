"""Proof that the tests of accounts bite: each guarantee has a planted bug, and a fast test of it must fail of it."""

import pytest

from tests.faults.sabotage import Bug, plant, run, run_all

pytestmark = pytest.mark.slow

BOOK, VAULT, WITNESS = (f"monitor/accounts/{name}.py" for name in ("book", "vault", "witness"))


def of(module: str, test: str) -> str:
    return f"tests.accounts.test_{module}:test_{test}"


ON_DISK = of(
    "refresher", "that_it_is_asked_for_is_on_disk_before_the_call_leaves_and_what_came_before_it_is_used"
)  # fmt: skip
OVERTAKES = "tests.platforms.test_bilibili_sifting:test_a_like_overtakes_nothing_that_was_said_before_it"

BUGS = {
    # --- tokens: on disk before they are used, asked for once, in their time -----------------------------------------
    "used before it is on disk": Bug(
        BOOK,
        "        await self._vault.keep(kept)\n",
        "        self._accounts |= {account.id: account for account in kept}\n        await self._vault.keep(kept)\n",
        ON_DISK, "assert all(held for _, held in seen)",
    ),
    "that it is asked for is not on disk": Bug(
        "monitor/accounts/renewal.py", "asking = self._asking if pair else self._unchanged",
        "asking = self._unchanged", ON_DISK, 'assert ("asked", True) in seen',
    ),
    "each that wants it renewed has a call of its own": Bug(
        "monitor/accounts/refresher.py", "flight = self._flights.get(key) or self._forced(account)",
        "flight = self._start(account)",
        of("refresher", "whoever_wants_it_renewed_at_one_time_shares_one_call"),
        "assert set(desk.platform.asked.values()) == {1}",
    ),
    "one place too many in the budget": Bug(
        "monitor/accounts/budget.py", "len(self._answered) < self.places", "len(self._answered) <= self.places",
        of("budget", "never_faster_than_the_rate_over_hours"), "assert all(later - sooner >= window_s",
    ),
    "told to rest for as long as the platform likes": Bug(
        "monitor/accounts/budget.py", "min(max(rest_s, REST_S_MIN), REST_S_MAX)", "max(rest_s, REST_S_MIN)",
        of("budget", "the_platform_says_how_long_to_rest_from_one_second_to_ten_minutes"),
        "assert bucket.refused(100.0, told_s) == rest_s",
    ),
    "an answer says for how long nobody asks again": Bug(
        "monitor/accounts/exchange.py", "wait_s=min(wait_s, REST_S_MAX)", "wait_s=wait_s",
        of("client", "nobody_stays_away_for_ever_because_an_answer_says_so"), "assert failed.value.wait_s == 600.0",
        {"said": {"verdict": "missing", "wait_s": 1e9}},
    ),
    "the crowd is not spread": Bug(
        "monitor/accounts/refresh_plan.py", "(by_at - begin) * place_of(account.id)", "(by_at - begin) * 0.5",
        of("refresh_plan", "shops_are_spread_evenly"), "assert most <",
    ),
    "refreshed before the window": Bug(
        "monitor/accounts/refresh_plan.py", "begin = max(begin, until - window + min(EARLY, window / 20))",
        "begin = max(begin, until - 2 * window)",
        of("refresh_plan", "it_is_in_the_second_half_of_its_life_within_the_window_and_before_the_end"),
        "assert due_at >= EPOCH + life - timedelta(seconds=window_s)",
    ),
    "a crowd begins before the window": Bug(
        "monitor/accounts/refresh_plan.py", "from_at=max(latest, due.not_before)", "from_at=latest",
        of("refresh_plan", "however_great_the_crowd_nobody_is_sent_before_the_window_opens"), "assert soon(dues",
    ),
    "who is refused is called again": Bug(
        "monitor/accounts/client.py", "        if account.refused:\n", "        if False:\n",
        of("client", "a_shop_that_was_revoked_is_refused_and_works_again_when_it_is_linked_anew_without_a_restart"),
        "assert desk.platform.names.total() == calls + 1",
    ),
    # --- links: of that shop, ours, until their end ------------------------------------------------------------------
    "a link lets in whatever shop comes": Bug(
        "monitor/accounts/linking.py", 'if grant.shop not in ("", link.shop)', "if False",
        of("linking", "another_shop_than_the_links_is_not_taken"), "DID NOT RAISE",
    ),
    "a link lets in whatever anchor comes": Bug(
        "monitor/accounts/linking.py", ' or (link.anchor and grant.anchor not in ("", link.anchor))', "",
        of("linking", "another_anchor_than_the_links_is_not_taken"), "DID NOT RAISE",
    ),
    "the signature of a link is not looked at": Bug(
        "monitor/accounts/link_text.py", "if not hmac.compare_digest(mac, _mac(key, told)):", "if False:",
        of("link_text", "another_key_is_not_ours"), "DID NOT RAISE",
    ),
    "a link never ends": Bug(
        "monitor/accounts/link_text.py", "if now >= datetime.fromtimestamp(link.until, UTC):", "if False:",
        of("link_text", "it_ends"), "DID NOT RAISE",
    ),
    # --- secrets -----------------------------------------------------------------------------------------------------
    "a repr shows the secret": Bug(
        "monitor/accounts/account.py", 'f"Account({self.app!r}, {self.shop!r}, {self.anchor!r})"',
        'f"Account({msgspec.structs.asdict(self)})"',
        of("client", "nothing_that_is_shown_holds_a_token"), 'assert "s3cret" not in shown',
    ),
    "tokens rest in clear": Bug(
        VAULT, "self._present.encrypt(msgspec.msgpack.encode(account), context(account.id))",
        "msgspec.msgpack.encode(account)",
        of("vault", "no_token_lies_in_clear_in_any_file_of_the_data_folder_whatever_becomes_of_it"),
        'if b"canary" in raw.lower()] == []',
    ),
    "a row means the same in the place of another": Bug(
        VAULT, "return CONTEXT + msgspec.msgpack.encode(account)", "return CONTEXT",
        of("vault", "no_other_three_ids_open_it"), "DID NOT RAISE", {"other": ["doudian-main", "1", "1"]},
    ),
    "a private address is called": Bug(
        "monitor/accounts/addresses.py", "return ip.is_global and not (", "return not (",
        of("guarded_http", "it_does_not_go_where_no_platform_is"), "assert (failed.reason, failed.sent) ==",
        {"url": "https://127.0.0.1/", "reason": "address_refused"},
    ),
    # --- polls and their witness -------------------------------------------------------------------------------------
    "what only a poll found is not put": Bug(
        WITNESS, "                self._remember(sale, 0.0)\n                sifted.put.append(sale)\n",
        "                self._remember(sale, 0.0)\n",
        of("shop_poll", "a_poll_that_fails_goes_on_where_it_was_and_puts_nothing_twice"),
        'assert tiny.sales() == ["a", "b"]',
    ),
    "what a push told is put again": Bug(
        WITNESS, "if known.told != _told(sale) or (sale.room is not None and not known.room):", "if True:",
        of("shop_poll", "what_a_push_told_is_not_put_again"), 'assert tiny.sales() == ["b"]',
    ),
    "a page is put before the pushes of until then are read": Bug(
        "monitor/accounts/shop_poll.py", "        await means.understood()\n", "",
        of("shop_poll", "pushes_that_are_on_disk_are_read_before_a_page_is_put"), "assert tiny.sales() == []",
    ),
    "the cursor moves before its sales": Bug(
        "monitor/accounts/shop_poll.py", "None if page.next or late else to_at", "to_at",
        of("shop_poll", "the_cursor_is_sealed_with_the_last_page_and_never_before"), "assert told ==",
    ),
    "what waits for its detail was missed": Bug(
        "monitor/accounts/witnesses.py", "if waited_for & set(needs_of(sale))", "if False",
        of("details", "a_fact_whose_delivery_waits_for_details_was_not_missed"), 'assert missed == [("stall", 1)]',
    ),
    "what a push may still tell was missed": Bug(
        WITNESS, " or sale.received_at - sale.at < self.late_max", "",
        of("witness", "a_fact_that_is_younger_than_a_push_may_be_late_is_not_missed"),
        "assert market.missed == missed", {"old_s": 119.0, "missed": 0},
    ),
    "silence is late": Bug(
        WITNESS, "        if not missed:\n            return Judged()\n",
        "        if not missed and self.late_from is None:\n            self.late_from = self._on_time_at\n"
        "            return Judged(0, self.late_from)\n        if not missed:\n            return Judged()\n",
        of("witness", "a_night_without_orders_says_nothing"), "assert (market.missed, market.spans) == (0, [])",
    ),
    "silence ends a late span": Bug(
        WITNESS, "good = self._round_pushed > 0 and not", "good = not",
        of("witness", "a_span_that_was_open_at_a_start_ends_by_a_round_alone"), "it found nothing: that says nothing",
    ),
    "any push ends a late span": Bug(
        WITNESS, "if waited and not self._missed and not self._more_missed:", "if waited:",
        of("witness", "it_ends_when_the_last_missed_one_comes_by_push"), "assert market.spans == [[START, None]]",
    ),
    # --- in its turn, of its instant, and no more work than there is -------------------------------------------------
    "who comes goes before who waits": Bug(
        "monitor/accounts/turns.py", "if not self._waiting and self._goes_at_once(name):",
        "if self._goes_at_once(name):",
        of("turns", "who_comes_when_a_place_is_free_goes_behind_those_that_wait_for_it"),
        'assert simulate(work()) == ["first", "waits", "comes"]',
    ),
    "a call bears the stamp of when it began to wait": Bug(
        "monitor/accounts/exchange.py", "if caller != asked_by or _now_s() != made_s:", "if caller != asked_by:",
        of("client", "a_call_is_made_of_the_instant_at_which_it_leaves_and_once_where_that_is_at_once"),
        "assert len(made) == 3",
    ),
    "found too fast, it asks no sooner": Bug(
        "monitor/accounts/quotas.py", "elif refused:", "elif False:",
        of("quotas", "found_too_fast_it_asks_at_once_but_not_oftener_than_each_minute"),
        'assert desk.platform.names["quota"] == 2',
    ),
    "who was settled once is for ever": Bug(
        "monitor/accounts/settling.py", "if self._settled.get(key) is account:", "if key in self._settled:",
        of("settling", "who_is_settled_is_not_looked_at_again_until_it_is_another_and_not_held_once_it_is_forgotten"),
        'assert set(looked) == {"1"}',
    ),
    "who is missing is known for ever": Bug(
        BOOK, "if self._missing is None or self._missing[0] != roster:", "if self._missing is None:",
        of("book", "who_is_missing_follows_the_book_and_the_roster"), 'assert missing(2, "shop1") == 0',
    ),
    "a like overtakes what is on its way to the disk": Bug(
        "collectors/bilibili_socket.py", "return self._under_way > 0 or not self._house.tell(",
        "return not self._house.tell(", OVERTAKES, "TimeoutError",
    ),
    "a like overtakes what nobody has read": Bug(
        "monitor/accounts/live_line.py", "if self._unread.get(room, 0) > self._house.read_to():", "if False:",
        OVERTAKES, "TimeoutError",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(tmp_path, name):
    bug = BUGS[name]
    code, said = run(bug.test, bug.given, plant(bug, tmp_path / "copy"), tmp_path)
    assert code == 1, f"this bug was not caught: {name}\n{said}"
    assert bug.fails in said, said[-3000:]


def test_without_a_bug_the_same_tests_pass(tmp_path):
    """Else a planted bug could be caught by a copy that cannot run at all."""
    tests = list({bug.test: (bug.test, bug.given) for bug in BUGS.values()}.values())
    code, said = run_all(tests, plant(None, tmp_path / "copy"), tmp_path)
    assert code == 0, said
