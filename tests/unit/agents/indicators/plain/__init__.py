"""Published definitions written down plainly, in loops and NumPy, as a second opinion: one function per indicator."""
