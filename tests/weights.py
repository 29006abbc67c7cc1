"""Which files of tests take how much of the processors, printed at the end: two of them run all of it in CI.

Of a test, its fixtures, and the processes that it started and waited for.
"""

import resource
from collections import Counter
from collections.abc import Generator

import pytest

SHOWN = 25
NAME = "processor_s"
began = pytest.StashKey[float]()
weights: Counter[str] = Counter()  # in the process that reports; seconds of a processor


def used_s() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    item.stash[began] = used_s()
    yield


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    yield
    item.user_properties.append((NAME, used_s() - item.stash[began]))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "teardown":
        weights[report.nodeid.partition("::")[0]] += sum(
            float(str(value)) for name, value in report.user_properties if name == NAME
        )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if weights.total() < 60:
        return
    terminalreporter.section(f"{weights.total():,.0f} s of a processor")
    for file, spent_s in weights.most_common(SHOWN):
        terminalreporter.write_line(f"{spent_s:7.1f} s  {file}")
