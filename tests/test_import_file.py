"""Files of sales and ticks as people have them: what each row becomes, and what is said of bad ones."""

import io
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import openpyxl
import pytest

from collectors.hook import NO_DETAILS, App, Delivery
from collectors.orders.push_json import PushJson, content_name
from monitor.import_file import ImportFile, Relation, Span, read_import_file
from monitor.import_plan import ROWS_MAX, chunks
from monitor.table_file import guarded

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SPAN = Span(datetime(2026, 10, 20, tzinfo=UTC), NOW)
FEED = PushJson(name="files", app="files", platform="doudian", platforms=["doudian", "wechat"])
SALES = "店铺,订单号,类型,支付时间,金额,币种\n"
TICKS = "直播间,时间,在播,在线人数\n"


def read(data: str | bytes, relation: Relation = "sale") -> ImportFile:
    raw = data.encode() if isinstance(data, str) else data
    return read_import_file(raw, "F.csv", relation, FEED, ZONE, SPAN)


def sheet(*rows: tuple[object, ...]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def items(found: ImportFile) -> list[dict[str, object]]:
    assert not found.problems
    return [told.item for told in found.told]


def test_a_sale_is_named_by_shop_order_and_kind() -> None:
    (told,) = read(SALES + "9001,5764863169484900019,已支付,2026-11-23 20:00:05,129.90,cny\n").told
    assert told.at == datetime(2026, 11, 23, 12, 0, 5, tzinfo=UTC)
    assert told.item == {
        "event_id": "9001:5764863169484900019:paid", "shop": "9001", "order_id": "5764863169484900019",
        "kind": "paid", "at": "2026-11-23T12:00:05+00:00", "amount": "129.90", "currency": "CNY",
    }  # fmt: skip


def test_sub_orders_and_refunds_are_facts_of_their_own() -> None:
    text = (
        "shop,order_id,sub_order,refund_id,kind,at,amount,currency\n"
        "9001,5,,,paid,2026-11-23T20:00:05+08:00,10,CNY\n"
        "9001,5,5-1,,退款,2026-11-23T20:00:05+08:00,1,CNY\n"
        "9001,5,5-1,77,退款,2026-11-23T20:00:05+08:00,-1,CNY\n"
    )
    assert [told["event_id"] for told in items(read(text))] == [
        "9001:5:paid",
        "9001:5:5-1:refunded",
        "9001:5:5-1:refunded:77",
    ]


@pytest.mark.parametrize(
    ("written", "second"),
    [
        ("2026-11-23 20:00:05", 5.0), ("2026/11/23 20:00:05", 5.0), ("2026年11月23日 20:00:05", 5.0),
        ("2026-11-23 20:00:05.250000+08:00", 5.25), ("2026-11-23T12:00:05Z", 5.0), ("1795435205", 5.0),
        ("1795435205250", 5.25), ("2026-11-23 20:00", 0.0), ("2026-11-23 20:00:05 +08:00", 5.0),
        ("２０２６-11-23 20:00:05", 5.0),
    ],
)  # fmt: skip
def test_times_as_people_write_them(written: str, second: float) -> None:
    (told,) = read(TICKS + f"room1,{written},是,5\n", "viewer_tick").told
    assert told.at == datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(seconds=second)


def test_a_spreadsheet_brings_numbers_times_and_truths_of_its_own() -> None:
    at = datetime(2026, 11, 23, 20, 0, 5, 120_000)  # noqa: DTZ001 - a spreadsheet has wall clocks only
    found = read(sheet(("room", "at", "live", "viewers", "kbps"), ("直播间1", at, True, 1203.0, None)), "viewer_tick")
    assert items(found) == [
        {"room": "直播间1", "at": "2026-11-23T12:00:05.120000+00:00", "live": True, "viewers": 1203}
    ]
    found = read(sheet(("event_id", "kind", "at", "amount", "currency"), ("a:1:paid", "paid", at, 129.9, "CNY")))
    assert items(found)[0]["amount"] == "129.9"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_files_come_in_any_encoding_people_have(encoding: str) -> None:
    found = read((TICKS + "直播间1,2026-11-23 20:00,否,0\n").encode(encoding), "viewer_tick")
    assert items(found)[0]["room"] == "直播间1"


@pytest.mark.parametrize("written", ["1,234.50", "¥1,234.50", "￥1234.50", "１２３４.50", " 1234.5 "])
def test_amounts_as_people_write_them(written: str) -> None:
    (told,) = items(read(SALES + f'9001,5,paid,2026-11-23 20:00,"{written}",CNY\n'))
    assert FEED.sale(told, NOW, "file").amount_minor == 123450


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("9001,5,paid,2026-11-23 20:00,abc,CNY", "amount: no number; correct it"),
        ("9001,5,paid,2026-11-23 20:00,NaN,CNY", "amount: no number; correct it"),
        ("9001,5,paid,2026-11-23 20:00,1.2万,CNY", "amount: no number; correct it"),
        ("9001,5,paid,2026-11-23 20:00,-5,CNY", "amount: negative; correct it"),
        ("9001,5,paid,2026-11-23 20:00,5,", "currency: unknown or missing; correct it"),
        ("9001,5,paid,2026-11-23 20:00,5,RMB", "currency: unknown or missing; correct it"),
        ("9001,5,paid,2026-11-23 20:00,,CNY", "amount: needs one of amount and amount_minor, and not both; correct it"),
        ("9001,5,送货,2026-11-23 20:00,5,CNY", "kind '送货' is no kind; write created, paid,"),
        ("9001,5,paid,昨晚八点,5,CNY", "at '昨晚八点' is no date with a time; write it as 2026-11-19 20:00:05"),
        ("9001,5,paid,2026-11-23,5,CNY", "at '2026-11-23' is no date with a time; write it as 2026-11-19 20:00:05"),
        ("9001,5,paid,2026-02-30 20:00,5,CNY", "at '2026-02-30T20:00' is no date with a time; write it as"),
        ("9001,5,paid,2026-10-01 20:00,5,CNY", "at '2026-10-01 20:00:00' is out of range; give times from 2026-10-20"),
        ("9001,5,paid,2026-12-01 20:00,5,CNY", "at '2026-12-01 20:00:00' is out of range; give times from 2026-10-20"),
        (",5,paid,2026-11-23 20:00,5,CNY", "neither event_id nor shop and order_id; give one of them"),
        (
            "9001,5.76486E+18,paid,2026-11-23 20:00,5,CNY",
            "order_id '5.76486E+18' is what Excel leaves",
        ),
        ("旗舰店,5,paid,2026-11-23 20:00,5,CNY", "event '旗舰店:5:paid' holds other signs than"),
        ("9001,6,paid,2026-11-23 20:00,5,CNY", "event '9001:6:paid' stands at line 2 already; remove one"),
        ("9001,7,paid,2026-11-23 20:00,5,CNY,x", "'x' stands in no column; put a value that holds a comma in"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_the_others_stay(row: str, what: str) -> None:
    found = read(SALES + f"9001,6,paid,2026-11-23 20:00,5,CNY\n{row}\n9001,8,paid,2026-11-23 20:00,5,CNY\n")
    assert [told.line for told in found.told] == [2, 4]
    (problem,) = found.problems
    assert str(problem).startswith(f"F.csv:3: {what}")
    assert [bad.row.line for bad in found.rejected] == [3]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (",2026-11-23 20:00,是,5", "room is empty; every row needs it"),
        ("r,2026-11-23 20:00,maybe,5", "live 'maybe' is neither yes nor no; write true or false"),
        ("r,2026-11-23 20:00,是,-5", "viewers '-5' is no whole number; write it as digits: 12000"),
        ("r,2026-11-23 20:00,是,1.5", "viewers '1.5' is no whole number"),
        ("r,2026-11-23 20:00,是,3000000000", "Expected `int` <= 2147483647 in column `viewers`; correct it"),
    ],
)
def test_a_bad_tick_is_named_by_its_line(row: str, what: str) -> None:
    (problem,) = read(TICKS + row + "\n", "viewer_tick").problems
    assert str(problem).startswith(f"F.csv:2: {what}")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("room,at,vewers\n", "unknown column 'vewers'"), ("at\n", "required column room is missing"),
        ("", "the file is empty"), (b"PK\x03\x04xx", "not readable as a spreadsheet"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_relied_upon_is_none(data: str | bytes, what: str) -> None:
    found = read(data, "viewer_tick")
    assert found.broken
    assert what in str(found.problems[0])


def told_by(found: ImportFile, relation: Relation = "sale") -> list[Any]:
    """What the reader makes of the deliveries."""
    rows: list[Any] = []
    for chunk in chunks(relation, found.told):
        frame = msgspec.msgpack.encode(Delivery("POST", "/hooks/files", "", {}, chunk.body))
        meaning = FEED.parse(frame, NOW, App("files", "push_json"), NO_DETAILS)
        assert not meaning.bad
        assert chunk.rows == len(meaning.sales) + len(meaning.ticks) <= ROWS_MAX
        assert chunk.name == content_name(chunk.body)
        rows += [*meaning.sales, *meaning.ticks]
    return rows


def test_what_the_deliveries_say_is_what_the_file_says() -> None:
    lines = [f"9001,{number},paid,2026-11-23 20:00:{number % 60:02},{number}.01,CNY" for number in range(1, 1301)]
    sales = told_by(read(SALES + "\n".join(lines)))
    assert sorted(sale.amount_minor for sale in sales) == [number * 100 + 1 for number in range(1, 1301)]
    assert {sale.via for sale in sales} == {"file"}


def ticks(hours: range, step_s: int = 10) -> str:
    begin = datetime(2026, 11, 23, tzinfo=timezone(timedelta(hours=8)))
    at = (begin + timedelta(seconds=second) for second in range(hours.start * 3600, hours.stop * 3600, step_s))
    return TICKS + "".join(f"room{n % 3},{t:%Y-%m-%d %H:%M:%S},是,{n}\n" for n, t in enumerate(at, hours.start * 360))


def test_the_same_rows_are_the_same_deliveries_in_any_order_and_after_more_were_added() -> None:
    first = [chunk.name for chunk in chunks("viewer_tick", read(ticks(range(3)), "viewer_tick").told)]
    head, *rows = ticks(range(3)).splitlines()
    turned = [chunk.name for chunk in chunks("viewer_tick", read("\n".join([head, *rows[::-1]]), "viewer_tick").told)]
    longer = [chunk.name for chunk in chunks("viewer_tick", read(ticks(range(5)), "viewer_tick").told)]
    assert len(first) == len(set(first)) == 3
    assert turned == first
    assert longer[:3] == first
    assert len(set(longer)) == 5


def test_a_formula_guard_of_our_own_export_is_taken_off_again() -> None:
    (told,) = items(
        read(f"event_id,kind,at,amount,currency,buyer\na:1:paid,paid,2026-11-23 20:00,1,CNY,{guarded('=x')}\n")
    )
    assert told["buyer"] == "=x"
