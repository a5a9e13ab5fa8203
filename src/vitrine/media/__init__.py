"""Documents as bytes and pictures; knows nothing of records. Decoders run in killable children only."""
