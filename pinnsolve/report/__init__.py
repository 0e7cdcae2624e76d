"""What a run says to people: result documents, tables, plots and the HTML report."""
