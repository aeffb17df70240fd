"use strict";
/* Says how much of the files is sent, and of a file that is too large before it is sent, which may take minutes. Without this
   script the form is sent as any other. */
document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("form[data-send]");
    const input = form?.querySelector("input[type=file]");
    if (!form) return;
    const place = form.querySelector("[data-sending]"), words = place.querySelector("[data-words]");
    const bar = place.querySelector("progress"), button = form.querySelector("button[type=submit]");
    const size = (bytes) => bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;

    function tell(problem) {
        const box = document.createElement("div"), text = document.createElement("p");
        box.className = "notice is-bad";
        box.setAttribute("role", "alert");
        text.textContent = problem;
        box.append(text);
        document.getElementById("outcome").replaceChildren(box);
        document.getElementById("outcome").scrollIntoView({ block: "nearest" });
    }

    function problem() {
        const large = [...input.files].find((each) => each.size > input.dataset.maxBytes);
        if (large) return `“${large.name}” has ${size(large.size)}, and a document may have ${size(input.dataset.maxBytes)}. Choose a smaller file.`;
        return input.files.length ? "" : "Choose a file first.";
    }

    function rest(busy) {
        button.disabled = busy;
        place.hidden = !busy;
        if (!busy) delete form.dataset.sent;
    }

    function show(html) {
        const next = new DOMParser().parseFromString(html, "text/html");
        const outcome = next.getElementById("outcome"), now = next.querySelector("form[data-send]");
        if (!outcome || !now) return tell(next.querySelector("main p")?.textContent || "It was not sent. Reload the page, and try again.");
        document.getElementById("outcome").replaceWith(outcome);
        for (const each of form.querySelectorAll(".form-row:not([data-sending])")) {
            const id = each.querySelector("input:not([type=file])")?.id;
            const row = id && now.querySelector(`#${CSS.escape(id)}`)?.closest(".form-row");
            if (row) each.replaceWith(row);
        }
        input.value = "";
        outcome.scrollIntoView({ block: "nearest" });
    }

    input.addEventListener("change", () => input.files.length && problem() && tell(problem()));
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (form.dataset.sent) return;
        if (problem()) return tell(problem()), setTimeout(() => rest(false));
        const sending = new XMLHttpRequest();
        sending.open("POST", form.action);
        sending.setRequestHeader("X-By-Script", "1");
        sending.upload.addEventListener("progress", ({ loaded, total }) => {
            bar.max = total;
            bar.value = loaded;
            words.textContent = loaded < total ? `${size(loaded)} of ${size(total)} sent` : "All of it is sent, and is being stored.";
        });
        sending.addEventListener("load", () => {
            if (sending.status === 201) return window.location.assign(JSON.parse(sending.responseText).url);
            if (sending.responseURL.includes("/login/")) return window.location.assign(form.action);
            rest(false);
            show(sending.responseText);
        });
        sending.addEventListener("error", () => (rest(false), tell("The connection has broken off, so what was under way was not stored. Send it again.")));
        rest(true);
        sending.send(new FormData(form));
    });
});
