"""The bench: what a mailing costs, beside Django's form, allauth and a loop. Run by `make bench`."""
