"""Contacts come from the CSV that people have; what would mention nobody, or everybody, is refused at its line."""

from pathlib import Path

import pytest

from monitor.alerts.contacts import Contact, called, read
from monitor.problem import ConfigError

HEADER = "id,name,mobile,dingtalk_id,wecom_id,feishu_id\n"
ZHANG = Contact("zhang", "张三", "13800138000", "manager7", "ZhangSan", "ou_18eac85d35a26f989317ad4f02e8bbbb")


def of(tmp_path: Path, text: str, encoding: str = "utf-8") -> dict[str, Contact]:
    file = tmp_path / "contacts.csv"
    file.write_bytes(text.encode(encoding))
    return read(file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_one_person_in_each_encoding(tmp_path: Path, encoding: str) -> None:
    row = "zhang,张三,138-0013 8000,manager7,ZhangSan,ou_18eac85d35a26f989317ad4f02e8bbbb\nli,李四\n"
    assert of(tmp_path, HEADER + row, encoding) == {"zhang": ZHANG, "li": Contact("li", "李四")}


def test_chinese_headings_and_columns_left_out(tmp_path: Path) -> None:
    assert of(tmp_path, "工号,姓名,手机\nz,张三,+8613800138000\n")["z"] == Contact("z", "张三", "+8613800138000")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",张三", "id '' cannot name a person"),
        ("a b,张三", "id 'a b' cannot name a person"),
        ("z,张三,1380x", "mobile '1380x' is no number"),
        ("z,张三,,all", "dingtalk_id 'all' is no id"),
        ("z,张三,,,@all", "wecom_id '@all' is no id"),
        ("z,张三,,,x>y", "wecom_id 'x>y' is no id"),
        ("z,张三,,,,ALL", "feishu_id 'ALL' is no id"),
        (f"z,{'三' * 129}", "cannot stand in a message"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        of(tmp_path, f"{HEADER}li,李四\n{row}\n")
    (problem,) = caught.value.problems
    assert problem.line == 3
    assert said in problem.what


def test_an_id_stands_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"contacts.csv:3: id 'z' stands at line 2 already"):
        of(tmp_path, HEADER + "z,张三\nz,赵六\n")


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read(Path("/nowhere/contacts.csv"))


def test_whom_a_roster_calls() -> None:
    namesake = Contact("zhang2", "王五")
    contacts = {"zhang": ZHANG, "w1": Contact("w1", "王五"), "zhang2": namesake}
    assert called(contacts, "zhang") == ZHANG
    assert called(contacts, "张三") == ZHANG
    assert called(contacts, "王五") == Contact("", "王五")  # of two of that name neither is called for the other
    assert called(contacts, "外人") == Contact("", "外人")
