# The service and its example agents. Two stages: only the first one needs a compiler.
FROM python:3.11-slim-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev libmariadb-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /service
COPY requirements.txt requirements-mysql.txt ./
RUN python -m venv .venv \
 && .venv/bin/python -m pip install -qq --require-hashes --no-deps -r requirements.txt \
 && .venv/bin/python -m pip install -qq --require-hashes --no-deps -r requirements-mysql.txt

FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends libmariadb3 mariadb-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --home /service tasks
WORKDIR /service
COPY --from=build /service/.venv .venv
COPY app app
COPY examples examples
COPY migrations migrations
COPY gunicorn.conf.py wsgi.py ./
ENV PATH=/service/.venv/bin:$PATH FLASK_APP=wsgi:app PYTHONUNBUFFERED=1
USER tasks
EXPOSE 8080
CMD ["python", "-m", "app.starting", "serve", "--host", "0.0.0.0", "--port", "8080"]
