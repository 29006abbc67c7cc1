"""Grafana: provisioning, dashboards, and the boards they are generated from."""
