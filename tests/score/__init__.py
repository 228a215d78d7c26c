"""The score: figures for this package and its neighbours, from the same measures. Run by `make score`."""
