# Coldlens behind a reverse proxy; see docs/serving.md. Build: docker build -t coldlens .
FROM python:3.11-slim-bookworm

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1

# Sounds are read through libsndfile, which the wheel of soundfile carries; curl asks whether the server is well.
RUN apt-get update \
    && apt-get install -y --no-install-recommends curl=7.* make=4.* \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 coldlens \
    && mkdir -p /app /data \
    && chown 10001:10001 /app /data

USER 10001
WORKDIR /app
COPY --chown=10001:10001 pyproject.toml constraints.txt Makefile README.md LICENSE app.py ./
COPY --chown=10001:10001 recsys recsys
COPY --chown=10001:10001 pages pages
COPY --chown=10001:10001 data data
COPY --chown=10001:10001 .streamlit/config.toml .streamlit/config.toml
RUN make install && .venv/bin/python -m pip install -c constraints.txt -e '.[auth]'

ENV COLDLENS_DATA_DIR=/data COLDLENS_PROFILE_IN_LINK=off
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=60s CMD ["curl", "-fsS", "http://127.0.0.1:8501/_stcore/health"]

# Inside a container the loopback is nobody else's; who may connect is said by the hosts, which the one who starts it names.
CMD ["sh", "-c", ".venv/bin/python -m pages.shared.start --server.address=0.0.0.0 --server.allowedHosts=\"${COLDLENS_HOST:?the name that browsers use}\" --server.allowedHosts=127.0.0.1 --browser.serverAddress=\"${COLDLENS_HOST}\" --server.corsAllowedOrigins=\"https://${COLDLENS_HOST}\""]
