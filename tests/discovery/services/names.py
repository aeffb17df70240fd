"""Names as people and programs write them: blanks that nobody sees, letters that fold oddly, what a query could mistake."""

BLANKS = ("\u00a0", "\u2003", "\u3000", "\t", "\u200b")
ODD_REPORTS = [
    "Master Documents\x7f.pdf",
    "\x01Master Documents.pdf",
    "Master Documents \u200b.pdf",
    "MASTER DOCUMENTS İı.pdf",
    "Master Documents " + "😀" * 100 + ".pdf",
    "Master Documents " + "İ" * 230 + ".pdf",
    "Master Documents\\x00.pdf",
    "Master Documents %_[a-z]*.pdf",
    "Master  Documents.pdf ",
    "0 Master Documents.pdf",
    "Master Documents.pdf.",
    "Master Documents\u2028.pdf",
    "Master Documents\t.pdf",
]
# What an archive is called, and the number of the lease that looks for it.
ODD_ARCHIVES = [
    ("NMNM 31 ", "NMNM 31"),
    (" NMNM 32", "NMNM 32"),
    ("nMnM 33", "NMNM 33"),
    ("NMNM%34", "NMNM%34"),
    ("NMNM_35", "NMNM_35"),
    ("NMNM.36", "NMNM.36"),
    ("NMNM (37)", "NMNM (37)"),
    ("\u212a 38", "K 38"),
    ("NÉ 39", "NÉ 39"),
    ("NE\u0301 40", "NÉ 40"),
    ("\u017f 41", "S 41"),
    ("straße 42", "STRASSE 42"),
    ("İ 43", "i̇ 43"),
    ("NMNM 44😀", "NMNM 44😀"),
]
