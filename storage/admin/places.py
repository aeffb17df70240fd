"""Where the pages of storage are, for those that lead to each other."""

ROOTS = "admin:storage_storageroot_changelist"
FILES = "admin:storage_storedfile_changelist"
RUNS = "admin:storage_indexrun_changelist"
# What an address of the files calls the folder that it is about.
IN = "in"

# What each is called, the name of its address, the right to see it.
BESIDE = (
    ("Roots", ROOTS, "storage.view_storageroot"),
    ("Files", FILES, "storage.view_storedfile"),
    ("Index runs", RUNS, "storage.view_indexrun"),
)
