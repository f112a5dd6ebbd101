"""FastAPI, SQLAlchemy and pydantic."""
