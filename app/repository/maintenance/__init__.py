"""What operators do with the whole: migrations, import, export, backup, purge, doctor."""
