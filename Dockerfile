# Tastemaker as a container: `docker compose up`, see docs/serve.md.
FROM python:3.11-slim

# torch first, built for processors: the usual one brings gigabytes for graphics cards.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /app
COPY constraints.txt ./
RUN pip install --no-cache-dir --index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple -c constraints.txt torch==2.13.0

COPY pyproject.toml README.md LICENSE ./
COPY tastemaker ./tastemaker
RUN pip install --no-cache-dir -c constraints.txt '.[serve]'

# Nobody's rights but over the runs.
RUN useradd --create-home --uid 1000 tastemaker && mkdir /runs && chown tastemaker /runs
USER tastemaker
WORKDIR /runs
VOLUME /runs
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["tastemaker"]
CMD ["--help"]
