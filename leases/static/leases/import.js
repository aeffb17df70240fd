"use strict";
/* A file that is too large is told before it is sent, which may take minutes. The server would refuse it, too. */
document.addEventListener("DOMContentLoaded", () => {
    const input = document.querySelector("input[type=file][data-max-bytes]");
    input?.addEventListener("change", () => {
        const size = input.files[0]?.size || 0;
        const words = size > input.dataset.maxBytes ? input.dataset.tooLarge.replace("…", `${(size / 1e6).toFixed(1)} MB`) : "";
        input.setCustomValidity(words);
        input.reportValidity();
    });
});
