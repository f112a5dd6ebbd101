"""Django's settings, as little as the documentation asks for."""

import os
from urllib.parse import unquote, urlsplit

import words

parts = urlsplit(words.URL)
TUNED = os.environ.get("PEER_TUNED") == "1"
SECRET_KEY = "of the benchmarks"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_filters",
    "rest",
]  # fmt: skip
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware",
              "django.middleware.common.CommonMiddleware"] * (not TUNED)  # fmt: skip
ROOT_URLCONF = "rest.tuned" if TUNED else "rest.documented"
USE_TZ = True
DATABASES = {"default": {
    "ENGINE": "django.db.backends.sqlite3", "NAME": unquote(parts.path[1:]),
} if parts.scheme == "sqlite" else {
    "ENGINE": "django.db.backends.mysql", "NAME": parts.path[1:], "USER": parts.username,
    "PASSWORD": parts.password, "HOST": parts.hostname, "PORT": parts.port,
}}  # fmt: skip
if TUNED:
    DATABASES["default"]["CONN_MAX_AGE"] = None
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend",
                                "rest_framework.filters.OrderingFilter"],
    "ORDERING_PARAM": "order",
}  # fmt: skip
SIMPLE_JWT = {
    "ALGORITHM": "RS256", "VERIFYING_KEY": words.KEY, "AUDIENCE": words.ISSUER,
    "ISSUER": words.ISSUER, "USER_ID_CLAIM": "sub", "TOKEN_TYPE_CLAIM": None,
}  # fmt: skip
