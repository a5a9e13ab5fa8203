"""What every API version shares: envelope, errors, dates."""
