# One process, one port, its own PostgreSQL. Data lives in the volume /data.
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY protocol protocol
COPY sql sql
COPY roomserver roomserver
COPY httpapi httpapi
# Only what requirements.lock names, byte for byte; the build itself fetches nothing more.
RUN python -m venv /opt/unisono \
 && /opt/unisono/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock \
 && /opt/unisono/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11-slim
# PostgreSQL refuses to run as root, and nothing here needs to.
RUN useradd --create-home --uid 10001 unisono && install -d -o unisono -g unisono /data
COPY --from=build /opt/unisono /opt/unisono
USER unisono
ENV UNISONO_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["/opt/unisono/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["/opt/unisono/bin/unisono"]
CMD ["serve", "--host", "0.0.0.0"]
