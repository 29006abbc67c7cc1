"""What a panel asks: PromQL of Prometheus, SQL of PostgreSQL; and the data sources, by the uids of the provisioning."""

import re
from pathlib import Path
from typing import Any, Literal

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from .words import Say, in_words

SQL = Path(__file__).parent / "sql"
PART = re.compile(r"\{\{(\w+)\}\}")
POSTGRES_TYPE = "grafana-postgresql-datasource"

PROMETHEUS = DataSourceRef("prometheus", "livemon-prometheus")
POSTGRES = DataSourceRef(POSTGRES_TYPE, "livemon-postgres")  # as livemon_reader
POSTGRES_HALL = DataSourceRef(POSTGRES_TYPE, "livemon-postgres-hall")  # as livemon_hall: no money per room, no buyer

type Shape = Literal["table", "time_series"]
type Query = Builder[variants.Dataquery]


def promql(expression: str, legend: str = "", *, ref: str = "A", instant: bool = False, table: bool = False) -> Query:
    """`instant`: one value now instead of one at each step; `table`: a row for each series, labels as columns."""
    made = prometheus.Dataquery().datasource(PROMETHEUS).expr(expression).legend_format(legend).ref_id(ref)
    made = made.format(PromQueryFormat.TABLE if table else PromQueryFormat.TIME_SERIES)
    return made.instant() if instant else made.range()


def statement(name: str, say: Say, **parts: str) -> str:
    """Of grafana/boards/sql, in this language. Grafana's own variables and macros stand in it. {{name}} in it is one of
    `parts`, or the whole file of that name."""
    text = in_words((SQL / f"{name}.sql").read_text().rstrip(), say)
    return PART.sub(lambda part: parts[part[1]] if part[1] in parts else statement(part[1], say, **parts), text)


def sql(text: str, *, ref: str = "A", shape: Shape = "table", source: DataSourceRef = POSTGRES) -> Query:
    """`time_series`: columns `time` (ascending), numbers, and `metric`, which names the series."""
    return _Statement(text, ref, shape, source)


class _Statement(Builder[variants.Dataquery], variants.Dataquery):
    """The SDK knows no query of PostgreSQL. Fields: grafana-postgresql-datasource, `SQLQuery` in @grafana/sql."""

    def __init__(self, text: str, ref: str, shape: Shape, source: DataSourceRef) -> None:
        self.text, self.ref, self.shape, self.source = text, ref, shape, source

    def build(self) -> variants.Dataquery:
        return self

    def to_json(self) -> dict[str, Any]:
        return {
            "datasource": self.source.to_json(), "rawSql": self.text, "refId": self.ref, "format": self.shape,
            "rawQuery": True, "editorMode": "code",
        }  # fmt: skip
