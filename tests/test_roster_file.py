"""Roster files as people have them: every encoding, every way in which a spreadsheet destroys an id, every message."""

import csv
import io
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from monitor import table_file
from monitor.problem import ConfigError
from monitor.roster_file import HEADINGS, RosterFile, read_roster_file
from monitor.roster_text import rejected_csv
from monitor.table_file import read_bytes, read_table

CHINESE = "平台,直播间,主播,场馆,城市,类目,等级,粉丝,联系人,店铺\n"
CHINESE += "wechat,1234567890123456789,辽小红,A馆,沈阳,服饰,１,1.2万,zhang,s1\n"
MEANT = {
    "broadcaster": "辽小红", "hall": "A馆", "city": "沈阳", "category": "服饰", "tier": 1, "fans": 12000,
    "contact": "zhang", "shop": "s1",
}  # fmt: skip
AS_TEXT = "format the column as text in Excel and paste the values again"


def read(text: str | bytes) -> RosterFile:
    return read_roster_file(text if isinstance(text, bytes) else text.encode(), "r.csv")


def sheet(*rows: list[object]) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def messages(file: RosterFile) -> list[str]:
    return [str(problem) for problem in file.problems]


@pytest.mark.parametrize(
    "data",
    [
        CHINESE.encode(),
        CHINESE.encode("utf-8-sig"),
        CHINESE.encode("gb18030"),
        CHINESE.encode("utf-16"),
        CHINESE.replace("\n", "\r\n").encode("gb18030"),
        CHINESE.replace("\n", "\r").encode(),
        CHINESE.replace(",", "\t").encode("utf-8-sig"),
        CHINESE.replace(",", ";").encode(),
        ("\n\n" + CHINESE + ",,,,,,,,,\n\n").encode(),
        ("辽宁网红周名册,,,\n" + CHINESE).encode(),
        sheet(*csv.reader(io.StringIO(CHINESE))),
        sheet([None], ["辽宁网红周名册"], *csv.reader(io.StringIO(CHINESE))),
    ],
    ids="utf8 bom gb18030 utf16 crlf cr tabs semicolons blank-lines title xlsx xlsx-title".split(),
)
def test_the_same_roster_in_any_dress(data):
    file = read(data)
    assert messages(file) == []
    assert [(room.platform, room.external_id, room.fields) for room in file.rooms] == [
        ("wechat", "1234567890123456789", MEANT)
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.csv:1: the file is empty; its first row must name columns of platform,room,anchor,"),
        ("platform,anchor\nwechat,x\n", "r.csv:1: required column room is missing; add it to the row of headings"),
        (
            "platform,room,颜色\nwechat,1,红\n",
            "r.csv:1: unknown column '颜色'; remove it or use one of platform,room,anchor,",
        ),
        ("平台,room,platform\n", "r.csv:1: column platform stands twice, also as 'platform'; remove one of them"),
        ("platform,room\nwechat,\n", "r.csv:2: room is empty; give the room's id as the platform shows it"),
        (
            "platform,room\n视频号,1\n",
            "r.csv:2: platform '视频号' is no platform; write it as feeds do: wechat, doudian,",
        ),
        (
            "platform,room\nwechat,1.23457E+18\n",
            f"r.csv:2: room '1.23457E+18' is what Excel leaves of a long number, its digits are lost; {AS_TEXT}",
        ),
        (
            "platform,room,contact\nwechat,1,1.38E+10\n",
            f"r.csv:2: contact '1.38E+10' is what Excel leaves of a long number, its digits are lost; {AS_TEXT}",
        ),
        (
            "platform,room\nwechat,123456.0\n",
            f"r.csv:2: room '123456.0' is what a spreadsheet made of the value, not the value; {AS_TEXT}",
        ),
        (
            "platform,room\nwechat,########\n",
            f"r.csv:2: room '########' is what a spreadsheet made of the value, not the value; {AS_TEXT}",
        ),
        (
            "platform,room\nwechat,#REF!\n",
            f"r.csv:2: room '#REF!' is what a spreadsheet made of the value, not the value; {AS_TEXT}",
        ),
        (
            "platform,room\nwechat,1234567890123450000\n",
            f"r.csv:2: room '1234567890123450000' was rounded by Excel, its last digits are lost; {AS_TEXT}",
        ),
        (
            "platform,room\nwechat,a\x00b\n",
            r"r.csv:2: room 'a\x00b' holds the invisible character U+0000; type the id anew",
        ),
        (
            "platform,room\nwechat,a\u200bb\n",
            r"r.csv:2: room 'a\u200bb' holds the invisible character U+200B; type the id",
        ),
        (
            "platform,room\nwechat,１２３\n",
            "r.csv:2: room '１２３' holds the full-width character '１'; type the id in half",
        ),
        (
            f"platform,room\nwechat,{'x' * 129}\n",
            f"r.csv:2: room '{'x' * 20}...' is longer than 128 characters; is it in the right column?",
        ),
        (
            "platform,room\nwechat,1\ndoudian,1\nwechat,1\n",
            "r.csv:4: room '1' of wechat is listed at line 2 already; remove one of the two",
        ),
        ("platform,room,tier\nwechat,1,12\n", "r.csv:2: tier '12' is no tier; give one digit from 1 to 9, or nothing"),
        ("platform,room,tier\nwechat,1,0\n", "r.csv:2: tier '0' is no tier; give one digit from 1 to 9, or nothing"),
        (
            "platform,room,fans\nwechat,1,很多\n",
            "r.csv:2: fans '很多' is no whole number of fans; write 12000, 12,000 or 1.2万, or nothing",
        ),
        ("platform,room,fans\nwechat,1,-5\n", "r.csv:2: fans '-5' is no whole number of fans; write"),
        ("platform,room,fans\nwechat,1,12.5\n", "r.csv:2: fans '12.5' is no whole number of fans; write"),
        ("platform,room,fans\nwechat,1,0.00001万\n", "r.csv:2: fans '0.00001万' is no whole number of fans; write"),
        ("platform,room,fans\nwechat,1,99999999亿\n", "r.csv:2: fans '99999999亿' is no whole number of fans; write"),
        (
            "platform,room,fans\nwechat,1,12,000\n",
            "r.csv:2: '000' stands in no column; put a value that holds a comma in double quotes",
        ),
        (
            'platform,room,anchor\nwechat,1,"a\nwechat,2,b\n',
            "r.csv:2: not readable as CSV from here on (unexpected end of data); look for a lone double quote",
        ),
        (
            b"platform,room,anchor\nwechat,1,x\nwechat,2,\xff\xff\n",
            "r.csv:3: this is neither UTF-8 nor GB18030 text; save the file as CSV UTF-8 or as .xlsx",
        ),
        (
            b"PK\x03\x04 and no more",
            "r.csv:1: not readable as a spreadsheet (File is not a zip file); open it and save it as .xlsx or CSV",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "r.csv:1: not readable as a spreadsheet (Cannot detect file format); open it and save it as .xlsx or CSV",
        ),
        (
            b"x" * (table_file.FILE_BYTES_MAX + 1),
            "r.csv:1: the file is larger than 16 MB; split it, and import the parts",
        ),
        (
            sheet(["platform", "room"], ["wechat", 1234567890123456789]),
            f"r.csv:2: room '1.23457E+18' is what Excel leaves of a long number, its digits are lost; {AS_TEXT}",
        ),
        (
            sheet(["platform", "room"], ["wechat", date(2026, 3, 4)]),
            f"r.csv:2: room '2026-03-04' is what a spreadsheet made of the value, not the value; {AS_TEXT}",
        ),
        (
            sheet(["platform", "room"], ["wechat", True]),
            f"r.csv:2: room 'TRUE' is what a spreadsheet made of the value, not the value; {AS_TEXT}",
        ),
        (
            sheet(["platform", "room", "hall"], ["wechat", "1", datetime(2026, 3, 1, 9)]),  # noqa: DTZ001 - as Excel has it
            f"r.csv:2: hall '2026-03-01 09:00:00' is what a spreadsheet made of the value, not the value; {AS_TEXT}",
        ),
    ],
)
def test_each_error_names_its_line_and_what_to_do(text, message):
    file = read(text)
    assert len(file.problems) == 1
    assert messages(file)[0].startswith(message)


def test_lines_are_those_of_the_file_also_after_a_line_break_in_a_cell():
    file = read('platform,room,notes\nwechat,1,"a\nb\nc"\n\nwechat,,x\n')
    assert messages(file) == ["r.csv:6: room is empty; give the room's id as the platform shows it"]


def test_lines_of_a_sheet_are_its_rows():
    file = read(sheet([None], ["platform", "room"], ["wechat", "1"], [None], ["wechat", None]))
    assert [problem.line for problem in file.problems] == [5]


def test_too_many_rows_are_refused():
    data = b"platform,room\n" + b"".join(b"wechat,%d\n" % number for number in range(5))
    table = read_table(data, "r.csv", HEADINGS, ("platform", "room"), rows_max=4)
    assert table.broken
    assert [str(problem) for problem in table.problems] == [
        "r.csv:6: more than 4 rows; split the file, and import the parts"
    ]


@pytest.mark.parametrize("room", ["12e5", "3e8", "live/room1", "0012", "7-11", "a b", "1.5", "直播1", "x" * 128])
def test_ids_that_only_look_odd_are_taken_as_they_stand(room):
    assert [room.external_id for room in read(f"platform,room\nwechat, {room}\u00a0\n").rooms] == [room]


def test_numbers_of_a_sheet_become_their_digits():
    file = read(sheet(["platform", "room", "fans", "hall", "tier"], ["wechat", 123456, 12000.0, 3, 2]))
    assert file.rooms[0].external_id == "123456"
    assert file.rooms[0].fields == {"fans": 12000, "hall": "3", "tier": 2}


def test_one_long_id_that_is_not_rounded_shows_that_the_column_is_sound():
    file = read("platform,room\nwechat,1234567890123450000\nwechat,1234567890123456789\nwechat,7000000000000000\n")
    assert messages(file) == []
    assert len(file.rooms) == 3


@pytest.mark.parametrize(
    ("written", "fans"),
    [
        ("", None), ("0", 0), ("12000", 12_000), ('"12,000"', 12_000), ('"1,234,567"', 1_234_567), ("1.2万", 12_000),
        ("1.2w", 12_000), ("3W", 30_000), ("0.5亿", 50_000_000), ("１２０００", 12_000), ('"１２，０００"', 12_000),
    ],
)  # fmt: skip
def test_fans_as_people_write_them(written, fans):
    assert read(f"platform,room,fans\nwechat,1,{written}\n").rooms[0].fields["fans"] == fans


def test_names_are_made_harmless_and_said():
    file = read('platform,room,anchor,notes\nwechat,1,"小\x07王\n二","' + "长" * 300 + '"\n')
    assert file.rooms[0].fields == {"anchor": "小\ufffd王 二", "notes": "长" * 256}
    assert [(note.line, note.what[:6]) for note in file.notes] == [(2, "anchor"), (2, "notes ")]


def test_hostile_names_are_data():
    hostile = '{a="b"} # HELP x y ${jndi:ldap://x} <script>'
    file = read(f'platform,room,anchor\nwechat,1,"{hostile.replace(chr(34), chr(34) * 2)}"\n')
    assert file.rooms[0].fields["anchor"] == hostile


def test_good_rows_are_told_from_bad_ones_which_can_be_repaired_and_read_again():
    bad = read("platform,room,anchor\nwechat,1,甲\nwechat,1.23457E+18,=乙\nwechat,3,丙\n")
    assert [room.external_id for room in bad.rooms] == ["1", "3"]
    rejected = rejected_csv(bad)
    assert rejected.startswith(
        b"\xef\xbb\xbfrejected_line,rejected_reason,platform,room,anchor\r\n3,\"room '1.23457E+18' is"
    )
    again = read(rejected.replace(b",1.23457E+18,", b",1234567890123456789,"))
    assert messages(again) == []
    assert [(room.external_id, room.fields) for room in again.rooms] == [("1234567890123456789", {"anchor": "=乙"})]


def test_a_file_that_is_not_there_is_said_as_such(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"none\.csv:1: cannot be read: No such file or directory; name a CSV or"):
        read_bytes(tmp_path / "none.csv")
