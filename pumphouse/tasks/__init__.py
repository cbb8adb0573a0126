"""TaskFlow tasks: one verb each, with what undoes it; each looks before it acts."""
