"""What a study gives a paper: its main table, a paragraph on methods, figures, and references."""
