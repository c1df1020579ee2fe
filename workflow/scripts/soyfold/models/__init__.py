"""A model a file: its parameters, what it needs, and its code; the registry imports it by name.

Imports `attention`, and the CIM of `contacts`."""
