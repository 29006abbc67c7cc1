"""The source of Grafana's boards. `python -m grafana.boards` writes grafana/dashboards anew; a test compares."""
