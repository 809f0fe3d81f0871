"""Is an export still the model: what two systems said of the same utterances → figures, verdict, lines and a page."""
