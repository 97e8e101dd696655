"""`python -m serve_app.cli` is `goldensignals`."""

from serve_app.cli import main

main()
