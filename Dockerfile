# Keep the version in step with .python-version; a test compares them.
FROM python:3.13-slim AS install

# For documents on S3, Azure or Google: requirements-objects.txt
ARG PACKAGES=requirements.txt
RUN pip install --no-cache-dir uv
COPY ${PACKAGES} requirements.txt
RUN uv venv /opt/runsheet \
 && uv pip sync --no-cache --compile-bytecode --require-hashes --python /opt/runsheet requirements.txt

FROM python:3.13-slim

ENV PATH=/opt/runsheet/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=core.settings.production
RUN groupadd --system --gid 10001 runsheet \
 && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin runsheet \
 && install --directory --owner=10001 --group=10001 --mode=750 /srv/documents
COPY --from=install /opt/runsheet /opt/runsheet
WORKDIR /srv/runsheet
COPY . .
# Static files hold no secret and need none: the values serve this one command and do not stay in the image.
RUN SECRET_KEY=$(printf "none%046d" 0) TOKEN_ENCRYPTION_KEYS=$(printf "%043d=" 0) ALLOWED_HOSTS=none \
    DROPBOX_APP_KEY=none DROPBOX_APP_SECRET=none DOCUMENTS_DIRECTORY=/srv/documents DATABASE_URL=postgresql:///none REDIS_URL=redis:// \
    python manage.py collectstatic --no-input \
 && python -m compileall -q .

# By number, so that whoever runs the image can tell that it is not root. The code belongs to root: nothing rewrites itself.
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "gunicorn", "core.wsgi", "--bind", "0.0.0.0:8000"]
