.PHONY: demo test matrix ci docs messages score bench screenshots film release-check clean

# What each of these runs stands in pyproject.toml; ARGS reaches the program: make test ARGS="-k welcome"
TOX = .ci/tox run -q

demo: ## A small association's site on 127.0.0.1, with an inbox that shows the emails
	@$(TOX) --notest -e demo
	@.tox/demo/bin/python example_site/demo.py $(ARGS)

test: ## The tests, but for the slow kinds, which run in CI
	@$(TOX) -e test -- $(ARGS)

matrix: ## The tests on every pair of Python, Django and Wagtail that there is, and on three databases: more than an hour
	@.ci/tox run --skip-missing-interpreters false

ci: ## What CI runs
	@.ci/run

docs: ## The documentation, built and served on 127.0.0.1; it needs nothing from outside
	@$(TOX) -e docs
	@.tox/docs/bin/python -m http.server --bind 127.0.0.1 --directory build/docs $${DOCS_PORT:-0}

messages: ## The catalogues up to date with the sources, and compiled; ARGS="pl" begins that of another language
	@$(TOX) -e messages -- $(ARGS)

score: ## How reliable and how safe this is, in figures, beside Django, Wagtail and allauth; ARGS="--pairs 100" for a try
	@$(TOX) -e score -- $(ARGS)

screenshots: ## The pictures in docs/screenshots anew, of the demo
	@$(TOX) -e screenshots

film: ## A minute of film of the demo, at build/film.mp4
	@$(TOX) -e film

bench: ## What a mailing costs, beside Django's form, allauth and a loop; ARGS=--full for the whole of it
	@$(TOX) -e bench -- $(ARGS)

release-check: ## What would be published, built, looked at, installed and tried
	@$(TOX) -e release

clean: ## Forget the environments and the demo's data
	rm -rf .tox .venv .demo build dist *.egg-info
