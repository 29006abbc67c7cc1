"""A test that cannot fail guards nothing: one wrong line in livemon, and the acceptance of sales says so."""

import pytest

from tests.faults.sabotage import Bug, plant, run

pytestmark = [pytest.mark.real, pytest.mark.slow]

SALES, ONCE, MONEY, NAMES = (f"tests.acceptance.test_sales{name}" for name in ("_killed", "_once", "_money", "_names"))
SUMS = f"{MONEY}:test_every_sum_is_the_oracles"
ANOTHER = f"{ONCE}:test_another_amount_under_a_known_id_is_set_aside_and_the_first_is_kept"
DETAIL = f"{ONCE}:test_what_needs_a_detail_waits_in_sight_and_nobody_waits_for_it"
NOBODY = f"{NAMES}:test_nobody_can_be_found_but_under_the_key_and_after_a_day_not_there"

BUGS = {
    "answered before it is on disk": Bug(
        "monitor/store/frames.py", "return await kept", "return 0",
        f"{SALES}:killed", "acknowledged and lost", {"kills": 5},
    ),
    "any amount will do": Bug("monitor/store/put.py", "not is_new and not same:", "False:", ANOTHER, "AssertionError"),
    "what needs a detail is done": Bug(
        "monitor/reading.py", "frames_pending=[(kept.seq, understood.needs)]", "frames=[kept.seq]",
        DETAIL, "'frame'",
    ),
    "coins are cut off": Bug("monitor/rates.py", "round(Fraction(", "int(Fraction(", SUMS, "AssertionError"),
    "the buyer as the platform names him": Bug(
        "monitor/sale_rules.py",
        'return hmac.digest(self._buyer_key, f"{sale.platform}\\n".encode() + sale.buyer, hashlib.sha256)',
        "return sale.buyer", NOBODY, "found(",
    ),
    "set aside in clear": Bug(
        "monitor/reading.py", "payload = self._lane.cipher.encrypt(frame) if room", "payload = frame if room",
        NOBODY, "found(",
    ),
    "the key of an hour is never thrown away": Bug(
        "monitor/store/renewal.py", "            hours.keys.throw(hour)", "            pass",
        NOBODY, "stolen(data, spool_keys) ==",
    ),
    "on its way to quarantine under the spool key alone": Bug(
        "monitor/store/sealer.py", "*facts_batches(secret, at, secret=True)", "*facts_batches(secret, at)",
        NOBODY, "stolen(data, spool_keys) ==",
    ),
    "kept for ten days": Bug(
        "monitor/store/frame_table.py", "BODY_S = 86_400.0", "BODY_S = 864_000.0", NOBODY, "_left(",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(database, tmp_path, name):
    bug, copy, folder = BUGS[name], tmp_path / "copy", tmp_path / "there"
    for made in (copy, folder):
        made.mkdir()
    code, said = run(bug.test, bug.given, plant(bug, copy), folder, database)
    assert code == 1, said
    assert bug.fails in said, said[-3000:]
