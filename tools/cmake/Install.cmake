# Filled by the install rules of the programs.
