"""The bench: what a mailing to many costs, beside Django's form, allauth and a loop. Run by `make bench`."""
