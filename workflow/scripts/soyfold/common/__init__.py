"""What every storey uses: errors, files, logs, programs, digests, schemas, chromosome tables,
users' tables.

Imports nothing of soyfold's.
"""
