.PHONY: demo test ci docs messages score bench screenshots clean

demo: ## A small association's site on 127.0.0.1, with an inbox that shows the emails
	@.ci/env demo

test: ## The tests, but for the slow kinds, which run in CI
	@.ci/env test

ci: ## What CI runs
	@.ci/run

docs: ## The documentation, built and served on 127.0.0.1; it needs nothing from outside
	@.ci/env docs

messages: ## The catalogues up to date with the sources, and compiled; ARGS="pl" begins that of another language
	@.ci/env messages $(ARGS)

score: ## How reliable and how safe this is, in figures, beside Django, Wagtail and allauth; ARGS="--pairs 100" for a try
	@.ci/env score $(ARGS)

screenshots: ## The pictures in docs/screenshots anew, of the demo
	@.ci/env screenshots

bench: ## What a run to many costs, beside Django's form, allauth and a loop; ARGS=--full for the whole of it
	@.ci/env bench $(ARGS)

clean: ## Forget the environments and the demo's data
	rm -rf .venv .venvs .demo build dist *.egg-info
