"""Words, numbers and tables as LaTeX that pdflatex sets with the recommended packages."""
