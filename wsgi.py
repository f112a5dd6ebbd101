"""The application that gunicorn serves and that the `flask` command finds."""

import sys

from app import create_app
from app.config import BadSetting

try:
    app = create_app()
except BadSetting as error:
    sys.exit(f"Error: {error}")
