"""A corpus → another one: filter, merge, sample, pseudonymise, forget. Nothing is changed in place."""
