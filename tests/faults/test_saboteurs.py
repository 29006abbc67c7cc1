"""Proof that the fault tests bite: each guarantee has a planted bug, and its test must fail of it."""

import os
import re

import pytest

from tests.faults.sabotage import Bug, plant, run

CUTS = "tests.faults.test_cuts:test_a_cut_inside_commit_is_resolved_by_the_batch_id"
BLACK_HOLE = "tests.faults.test_cuts:test_a_black_hole_in_mid_copy_whose_server_side_never_sees_a_reset"
DELIVERED = {"fate": "deliver", "outcome": "committed", "cuts": 2}
DROPPED = {"fate": "drop", "outcome": "absent", "cuts": 2}
COME_BACK = "tests.faults.test_restore:test_batches_within_the_retention_come_back_each_row_once"
LOST = "tests.faults.test_restore:test_what_was_lost_beyond_the_retention_is_counted_to_the_row"
NEW_ROOMS = (
    "tests.faults.test_restore:"
    "test_rooms_added_after_the_backup_come_back_with_their_ids_and_no_id_is_given_twice"
)  # fmt: skip
CONTRADICTION = "tests.faults.test_restore:test_a_database_that_contradicts_the_spool_gets_nothing_until_they_agree"
POISON = "tests.faults.test_poison:test_poison_among_5000_ticks"
STARVING = "tests.faults.test_poison:test_a_poisoned_batch_of_ticks_gets_in_though_facts_keep_coming"
TIMEOUT = "tests.faults.test_holds:test_a_statement_timeout_on_the_role"
FLIPPED = "tests.faults.test_spool:test_a_flipped_bit_costs_one_batch_which_is_named_and_all_others_are_delivered"
LOG_END = "tests.faults.test_spool:test_wherever_the_log_ends_each_seal_is_whole"
OLDER = "tests.faults.test_spool:test_an_older_copy_of_the_spool_is_refused"
POWER = "tests.faults.test_disk:test_power_cuts_at_random_moments_lose_no_sealed_row"
SPOOL, WRITER, APPLY, REUNION = (f"monitor/store/{name}.py" for name in ("spool", "writer", "apply", "reunion"))
ANOTHER_TRANSACTION = 'self.sql.execute("COMMIT"); self.sql.execute("BEGIN IMMEDIATE")'
RELEASE = "self._sealer.release(ref, {kind: (rows, 0, 0) for kind, rows in batch.header.counts.items()})"

BUGS = {
    "no fsync": Bug("monitor/store/spool_file.py", "synchronous = FULL", "synchronous = OFF", POWER, "Error"),
    "fsync at checkpoints only": Bug(
        "monitor/store/spool_file.py", "synchronous = FULL", "synchronous = NORMAL", POWER, "Error"),
    "a new batch id at each send": Bug(
        APPLY, "header.id, header.kind, spool_id", "__import__('uuid').uuid4(), header.kind, spool_id",
        CUTS, "TimeoutError", DELIVERED),
    "a batch that was applied before is applied again": Bug(
        APPLY, "    if claimed is None:\n", "    if False:\n", CUTS, "written twice", DELIVERED),
    "released before the commit": Bug(
        WRITER, "                begun = True\n", f"                begun = True\n                {RELEASE}\n",
        CUTS, "released too early", DROPPED),
    "a batch in doubt is forgotten when another goes first": Bug(
        WRITER, "self._unknown.discard(ref.seq)", "self._unknown.clear()", CUTS, "AssertionError", DELIVERED),
    "our own earlier backends live on": Bug(
        REUNION, "    await end_own_backends(conn, application_name(spool.id))\n", "", BLACK_HOLE, "TimeoutError"),
    "nothing is offered again at a connect": Bug(
        REUNION, "return await _offer_again(conn, spool, call)", "return []", COME_BACK, "sealed and lost"),
    "what was lost is not counted": Bug(
        SPOOL, '"reoffered" if kept else "lost"', '"reoffered"', LOST, "AssertionError"),
    "rooms are not given back": Bug(
        REUNION, "    await _give_back_rooms(conn, (await call(spool.roster))[1])\n", "", NEW_ROOMS, "Error"),
    "room ids move back": Bug(
        "sql/writer/advance_room_ids.sql", "WHERE newest > coalesce(pg_sequence_last_value(sequence), 0)", "",
        NEW_ROOMS, "duplicate key"),
    "a contradiction is written over": Bug(
        REUNION, "    if wrong:\n", "    if False:\n", CONTRADICTION, "TimeoutError"),
    "poison drops its whole batch": Bug(
        WRITER, "                self._careful.add(ref.seq)\n",
        "                self._sealer.release(ref, {'tick': (0, 0, batch.header.counts['tick'])})\n",
        POISON, "AssertionError", {"poison": [4242]}),
    "poison is dropped, not kept": Bug(
        APPLY, "    await put_quarantine(conn, batch.header.id, kept)\n    return Tally({\"tick\":",
        "    return Tally({\"tick\":", POISON, "AssertionError", {"poison": [4242]}),
    "poison is forgotten when another batch goes first": Bug(
        WRITER, "self._careful.discard(ref.seq)", "self._careful.clear()", STARVING, "TimeoutError"),
    "a timeout is taken for poison": Bug(
        "monitor/store/verdict.py", '"57014": Verdict.BUSY', '"57014": Verdict.POISON', TIMEOUT, "Error"),
    "the books are of another transaction": Bug(
        SPOOL, "        for kind, rows in counts.items():\n            self._book(kind, received=rows)\n",
        f"        {ANOTHER_TRANSACTION}\n        for kind, rows in counts.items():\n"
        "            self._book(kind, received=rows)\n",
        LOG_END, "AssertionError"),
    "room states are of another transaction": Bug(
        SPOOL, '            self.sql.executemany(\n                "INSERT OR REPLACE INTO room_state',
        f'            {ANOTHER_TRANSACTION}\n            self.sql.executemany(\n'
        '                "INSERT OR REPLACE INTO room_state',
        LOG_END, "AssertionError"),
    "the checksum is not looked at": Bug(
        SPOOL, "if not rows or checksum(rows[0][0], rows[0][1]) != rows[0][2]:", "if not rows:", FLIPPED, "Error"),
    "an older copy of the spool passes by its numbers": Bug(
        SPOOL, "return bool(known[0][0] == batch_id.bytes if known else seq <= newest)", "return bool(seq <= newest)",
        OLDER, "TimeoutError", {"sealed_on": True}),
    "batches do not tell their number": Bug(
        "monitor/store/sealer.py", "msgspec.structs.replace(batch, seq=ref.seq)", "batch",
        OLDER, "TimeoutError", {"sealed_on": False}),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(database, tmp_path, name):
    bug = BUGS[name]
    if bug.test == POWER and os.geteuid() != 0:
        pytest.skip("NOT RUN: a power cut needs root and loop devices")
    code, said = run(bug.test, bug.given, plant(bug, tmp_path / "livemon"), tmp_path, database)
    assert code == 1, f"this bug was not found: {name}\n{said}"
    assert "the copy is not what runs" not in said
    assert re.search(bug.fails, said[-500:]), said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("test", "given"), sorted({bug.test: bug.given for bug in BUGS.values() if bug.test not in (POWER, CUTS)}.items())
)  # fmt: skip
def test_without_a_bug_the_same_run_is_a_pass(database, tmp_path, test, given):
    """Else a planted bug could be found by a copy that cannot run at all."""
    code, said = run(test, given, plant(None, tmp_path / "livemon"), tmp_path, database)
    assert code == 0, said
    assert said.endswith("the guarantee holds\n")
