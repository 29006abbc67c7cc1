"""A real nginx-rtmp that is polled and calls us, watched by a real monitor: one session, and stops seen at once."""

import asyncio

import pytest

from monitor.rehearsal.monitored import Livemon
from monitor.rehearsal.rtmp_hall import RtmpHall, free_ports
from tests.acceptance.hall import ask, rooms_page, seen, write_config

pytestmark = [pytest.mark.real, pytest.mark.slow]

LIVE, DROPPED = 1, 2
INTERVAL_S = 5.0  # so seldom is it polled: what is seen sooner, the hook told
ROOM, OTHER = "live/room1", "live/room2"
TOKEN = "t0ken-of-the-hall"
HOOKS = """
[[app]]
name = "halls"
platform = "nginx_rtmp"
secret_file = "token"

[[feed]]
kind = "nginx_rtmp_hooks"
name = "hall-a-hooks"
hall = "A"
app = "halls"
"""
STORY = """
SELECT external_id, change, cause FROM session_change JOIN room USING (room_id) ORDER BY external_id, number
"""


async def test_poll_and_hook_tell_of_one_session_and_a_stop_is_seen_at_once(tmp_path):
    port, hooks = free_ports(2)
    address = f"http://127.0.0.1:{hooks}/hooks/hall-a-hooks?token={TOKEN}"
    live = f"notify_method post; on_publish {address}; on_publish_done {address};"
    with RtmpHall(tmp_path / "nginx", live=live) as hall:
        config = write_config(tmp_path / "monitor", port, hall.stat_url, [ROOM, OTHER], grace_s=30)
        text = config.read_text().replace("interval_s = 0.5\nsilence_s_max = 5.0", f"interval_s = {INTERVAL_S}")
        config.write_text(f'hooks_listen = "127.0.0.1:{hooks}"\n{text}{HOOKS}')
        (config.parent / "token").touch(mode=0o600)
        (config.parent / "token").write_text(TOKEN)
        async with Livemon(config, f"http://127.0.0.1:{port}") as livemon:
            await livemon.ready(2)
            await asyncio.sleep(16)  # after a start, that a room is missing decides nothing for so long
            encoder = hall.publish(ROOM)
            began_s = await seen(livemon, ROOM, 10, state=LIVE)
            await asyncio.sleep(INTERVAL_S + 1)  # the poll has seen it, too
            second = hall.publish(ROOM)  # refused
            assert await asyncio.to_thread(second.process.wait, 10) != 0
            await asyncio.sleep(INTERVAL_S + 1)
            assert (await rooms_page(livemon))[ROOM]["state"] == LIVE

            encoder.kill()
            stopped_s = await seen(livemon, ROOM, 10, state=DROPPED)
            hall.publish(ROOM)
            back_s = await seen(livemon, ROOM, 10, state=LIVE, drops_total=1)
            await asyncio.sleep(INTERVAL_S + 2)
            print(
                f"\nseen on /metrics/rooms after: begun {began_s:.2f} s, killed {stopped_s:.2f} s, back {back_s:.2f} s"
            )
            assert max(stopped_s, back_s - 1.0) < 1.5

            story = await ask(livemon, STORY)
            assert [change for _, change, _ in story] == ["opened", "dropped", "resumed"]
            assert story[1] == (ROOM, "dropped", "event")
            metrics = await livemon.text("/metrics")
            told = [line for line in metrics.splitlines() if line.startswith("livemon_hook_requests_total")]
            counts = {line.partition('outcome="')[2].partition('"')[0]: float(line.split()[-1]) for line in told}
            assert {outcome for outcome, count in counts.items() if count} == {"accepted"}
            assert [line for line in metrics.splitlines() if line.startswith("livemon_books_difference")] == [
                f'livemon_books_difference{{kind="{kind}"}} 0.0' for kind in ("change", "frame", "sale", "tick")
            ]
            assert TOKEN not in livemon.last_words()
            assert await livemon.stop() == 0
