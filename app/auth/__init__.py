"""Identity: who gets an access token, and what a token that comes back may do."""
