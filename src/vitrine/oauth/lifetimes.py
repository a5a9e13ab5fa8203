"""How long codes and tokens are valid (design section 5.3), all in one place."""

from datetime import timedelta

CODE_LIFETIME = timedelta(seconds=60)
OUT_OF_BAND_CODE_LIFETIME = timedelta(minutes=10)  # a person types it
DEVICE_CODE_LIFETIME = timedelta(minutes=10)
ACCESS_TOKEN_LIFETIME = timedelta(hours=1)
REFRESH_TOKEN_LIFETIME = timedelta(days=90)
REFRESH_GRACE = timedelta(seconds=30)  # a client whose answer was lost gets the same successor again
ID_TOKEN_LIFETIME = timedelta(hours=1)
IDLE_LIMIT = timedelta(days=90)  # of access tokens without an end; the setting token_idle_days overrides it
