"""Tables of all storeys go in; figures, pages and the report come out.

Imports `evaluation`, `interpretation`, `prediction` and the outputs of `training`."""
