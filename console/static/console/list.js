"use strict";
/* A search box holds one line: numbers that are pasted from several lines stay several numbers. */
document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("searchbar")?.addEventListener("paste", (event) => {
        const lines = event.clipboardData.getData("text").split(/[\r\n\t]+/).map((line) => line.trim()).filter(Boolean);
        if (lines.length < 2) return;
        event.preventDefault();
        event.target.setRangeText(lines.join("; "), event.target.selectionStart, event.target.selectionEnd, "end");
    });
});
