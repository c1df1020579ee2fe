"""The figures, a module for each kind; `style` is what they share."""
