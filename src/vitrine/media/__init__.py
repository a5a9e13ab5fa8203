"""Documents as bytes and pictures, independent of records. Decoders run only in killable child processes."""
