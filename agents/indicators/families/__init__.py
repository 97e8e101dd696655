"""The indicators themselves, one module per family; a module added here is found by itself."""
