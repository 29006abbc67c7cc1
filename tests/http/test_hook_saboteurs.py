"""Proof that the tests of the hooks bite: each planted bug makes the test fail that guards against it."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
CHILD = """
import asyncio, importlib, sys
for test in sys.argv[1:]:
    module, name = test.split(":")
    asyncio.run(getattr(importlib.import_module(f"tests.http.{module}"), name)())
"""


class Bug(NamedTuple):
    """In this file of monitor/http the text `right` becomes `wrong`; then this test fails."""

    file: str
    right: str
    wrong: str
    test: str


BUGS = {
    "the signature is not looked at": Bug(
        "hooks.py",
        "verdict = target.hook.verify(delivery, target.app, at)",
        """verdict = Accepted(Reply(b'{"code":0}'), delivery.headers.get("x-id", ""))""",
        "test_hooks:test_both_secrets_hold_while_one_is_rotated_out_and_the_old_one_not_after",
    ),
    "any feed's key will do": Bug(
        "hooks.py",
        "apps.get(row.app) or",
        "next(iter(apps.values())) or",
        "test_hooks:test_ids_of_two_feeds_are_two",
    ),
    "what is verified is not what came": Bug(
        "hooks.py",
        "return Delivery(request.method, path, query, headers, body)",
        "return Delivery(request.method, path, query, headers, body.strip())",
        "test_hooks:test_a_body_is_verified_as_it_came",
    ),
    "answered before it is kept": Bug(
        "hooks.py",
        "await self.outlets.keep(feed, msgspec.msgpack.encode(delivery), at, *once)",
        "asyncio.ensure_future(self.outlets.keep(feed, msgspec.msgpack.encode(delivery), at, *once))",
        "test_hooks:test_a_true_delivery_is_on_disk_whole_before_the_platform_reads_its_exact_answer",
    ),
    "kept is told where the disk was full": Bug(
        "hooks.py",
        'raise Turned("full") from None',
        'fate = "accepted"',
        "test_hooks:test_where_the_disk_is_full_none_of_the_copies_is_answered_well_and_all_may_come_again",
    ),
    "a replay is known by its id alone": Bug(
        "replay.py",
        'return "duplicate" if known == digest else "replayed"',
        'return "duplicate"',
        "test_hooks:test_an_id_with_another_body_is_an_attack_also_later",
    ),
    "a copy does not wait for the first": Bug(
        "replay.py",
        "await done.wait()",
        'return "duplicate"',
        "test_hooks:test_five_copies_at_once_wait_for_the_one_that_is_kept",
    ),
    "copies of one instant are not seen": Bug(
        "replay.py",
        "if key not in self._under_way:",
        "if True:",
        "test_hooks:test_five_copies_at_once_wait_for_the_one_that_is_kept",
    ),
    "remembered before it is kept": Bug(
        "replay.py",
        "            await keep()\n            self._remember(key, digest, now())",
        "            self._remember(key, digest, now())\n            await keep()",
        "test_hooks:test_where_the_disk_is_full_none_of_the_copies_is_answered_well_and_all_may_come_again",
    ),
    "ids of all feeds are one": Bug(
        "replay.py",
        'f"{feed}\\n{delivery_id}"',
        'f"{delivery_id}"',
        "test_hooks:test_ids_of_two_feeds_are_two",
    ),
    "nothing is ever forgotten": Bug(
        "replay.py",
        "len(self) > (self._spans_max - 1)",
        "len(self) > 10**9 * (self._spans_max - 1)",
        "test_replay:test_it_holds_no_more_than_it_may_and_the_newest_stay",
    ),
    "the leftmost hop is believed": Bug(
        "forwarded.py",
        "for hop in reversed(hops):",
        "for hop in hops:",
        "test_hook_bounds:test_caps_count_the_client_behind_a_trusted_proxy",
    ),
    "everybody is believed": Bug(
        "forwarded.py",
        "if not trusts(address_of(peer)):",
        "if False:",
        "test_hook_bounds:test_a_client_that_is_no_trusted_proxy_is_not_believed",
    ),
    "a body has all the time in the world": Bug(
        "body.py",
        "asyncio.timeout(self.s_max)",
        "asyncio.timeout(None)",
        "test_hook_bounds:test_a_byte_now_and_then_does_not_move_the_deadline_of_a_body",
    ),
    "a chunked body has no cap": Bug(
        "body.py",
        "if size > bytes_max:",
        "if False:",
        "test_hook_bounds:test_a_chunked_body_is_the_same_delivery_and_an_endless_one_is_cut_at_the_cap",
    ),
    "a stranger has many requests a connection": Bug(
        "hooks.py",
        "if response.status >= 300 or not self.guard.trusts(address_of(request.remote)):",
        "if response.status >= 300:",
        "test_hook_bounds:test_only_a_trusted_proxy_has_more_than_one_request_a_connection",
    ),
    "an own server hears why it is turned away": Bug(
        "hooks.py",
        "if target is None or target.allow is None:\n        return web.Response(",
        "if True:\n        return web.Response(",
        "test_server_hooks:test_what_is_beyond_the_cap_is_shed_and_counted_and_refuses_nobody",
    ),
    "an own server waits for the disk": Bug(
        "hooks.py",
        "if target.allow is not None:\n            frame",
        "if False:\n            frame",
        "test_server_hooks:test_a_call_is_held_in_memory_without_its_token_and_never_on_disk",
    ),
    "the token of an own server is held with its call": Bug(
        "hooks.py",
        'Delivery(delivery.method, delivery.path, "", {}, delivery.body)',
        "delivery",
        "test_server_hooks:test_a_call_is_held_in_memory_without_its_token_and_never_on_disk",
    ),
    "a bug of ours refuses a publisher": Bug(
        "hooks.py",
        "if target is None or target.allow is None:\n                raise",
        "if True:\n                raise",
        "test_server_hooks:test_a_bug_of_ours_refuses_nobody",
    ),
    "what is shed is said to be taken": Bug(
        "hooks.py",
        "if not self.outlets.hold(feed, frame, at):",
        "if self.outlets.hold(feed, frame, at) and False:",
        "test_server_hooks:test_what_is_beyond_the_cap_is_shed_and_counted_and_refuses_nobody",
    ),
    "strangers shut out trusted servers": Bug(
        "guard.py",
        "(self.limits.trusted_more_max if trusted else 0)",
        "0",
        "test_server_hooks:test_a_trusted_server_gets_through_where_strangers_hold_all_connections",
    ),
    "what is kept for trusted servers is everybody's": Bug(
        "guard.py",
        "(self.limits.trusted_more_max if trusted else 0)",
        "self.limits.trusted_more_max",
        "test_server_hooks:test_strangers_have_no_part_in_what_is_kept_for_trusted_servers",
    ),
    "no rate": Bug(
        "hooks.py",
        "if not target.bucket.take(now()):",
        "if False:",
        "test_hooks:test_a_leaked_key_has_a_rate_and_what_is_not_signed_uses_nothing_of_it",
    ),
}


def run(folder: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CHILD, *tests], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def copied(folder: Path) -> Path:
    """A livemon whose monitor is a copy; the rest is our own."""
    shutil.copytree(ROOT / "monitor", folder / "monitor", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("collectors", "tests", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def test_without_a_bug_all_of_them_pass(tmp_path: Path) -> None:
    done = run(copied(tmp_path), *{bug.test for bug in BUGS.values()})
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(name: str, tmp_path: Path) -> None:
    bug = BUGS[name]
    file = copied(tmp_path) / "monitor" / "http" / bug.file
    text = file.read_text(encoding="utf-8")
    assert text.count(bug.right) == 1, f"{bug.file} no longer says just once: {bug.right}"
    file.write_text(text.replace(bug.right, bug.wrong), encoding="utf-8")
    done = run(tmp_path, bug.test)
    assert done.returncode == 1
    assert "AssertionError" in done.stderr, done.stderr
