"""The source of Grafana's boards. `python -m grafana.boards` writes grafana/dashboards anew; a test compares."""

import warnings

with warnings.catch_warnings():  # the SDK would rather make boards of version 2, which Grafana 11 and 12.0 do not read
    warnings.simplefilter("ignore", DeprecationWarning)
    import grafana_foundation_sdk.builders.dashboard
    import grafana_foundation_sdk.models.dashboard  # noqa: F401
