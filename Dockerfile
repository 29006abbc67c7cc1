# livemon as an image: Python's slim image, hash-checked packages, an unprivileged user, nothing written but /var/lib/livemon.
#
# REGISTRY is put before the image's name, with its slash: empty, or a mirror's "host/path/". PIP_INDEX_URL likewise.
# LOCK=requirements-extras.lock adds what few need: pyarrow, to export Parquet (packages are 349 MB instead of 156 with
# it; CSV and xlsx are there without), and apprise, for chats that livemon does not speak itself.
ARG REGISTRY=""
ARG PYTHON_TAG="3.13.9-slim-bookworm"

FROM ${REGISTRY}python:${PYTHON_TAG} AS build
ARG PIP_INDEX_URL=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/livemon
# First what changes seldom. Each file must have the hash that the lock file gives; the build's own tool is in it.
ARG LOCK="requirements.lock"
COPY requirements.lock requirements-extras.lock ./
RUN /opt/livemon/bin/pip install --require-hashes --only-binary :all: -r "$LOCK"
COPY pyproject.toml README.md LICENSE ./
COPY monitor ./monitor
COPY collectors ./collectors
COPY sql ./sql
COPY grafana/dashboards ./grafana/dashboards
COPY docs/runbooks ./docs/runbooks
RUN /opt/livemon/bin/pip install --no-deps --no-index --no-build-isolation .

FROM ${REGISTRY}python:${PYTHON_TAG}
RUN groupadd --gid 10001 livemon \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin livemon \
    # Open to whichever uid it is run as (compose: the owner of the secrets); livemon keeps its own files private.
    && mkdir --mode 1777 /var/lib/livemon
COPY --from=build /opt/livemon /opt/livemon
ENV PATH=/opt/livemon/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LIVEMON_CONFIG=/etc/livemon/livemon.toml
USER 10001:10001
VOLUME /var/lib/livemon
EXPOSE 8790
STOPSIGNAL SIGTERM
# The process lives. Not /readyz: a database that is away is no reason to restart us, the spool is made for that.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:8790/healthz', timeout=4)"]
ENTRYPOINT ["livemon"]
CMD ["run"]
