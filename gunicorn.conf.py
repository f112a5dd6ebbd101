"""What gunicorn reads by itself when it is started as `gunicorn wsgi:app`."""

from app import serving

locals().update(serving.options())
