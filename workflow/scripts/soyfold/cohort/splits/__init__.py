"""Train, validation and test parts: a module a scheme, by its name, with `draw`.

- `random`, `kfold`, `leave_family_out`, `cluster`: parts of lines, the same for every trait
- `given`: from the user's file
- `cv1`, `cv2`, `leave_environment_out`: a trait's values by environment, parted
- `parts`: dealing; `cells`: values by environment; `drawing`: from a scheme's name to its module
"""
