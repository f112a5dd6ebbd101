"""The application that gunicorn serves and that the `flask` command finds."""

from app import create_app

app = create_app()
