"use strict";
/* What a page does by itself. Without this script every page works all the same, after a reload.

   Polling: an element with an id and `data-poll="address"` is asked for anew every second, after a minute a little less often, or
   after `data-pause` milliseconds. The answer is the element anew, and only what differs is changed, so that focus, scroll
   and ticked boxes stay. 204: nothing has changed. An answer without `data-poll` ends it. `data-say` is read to who cannot
   see the change. */
{
    const FAST_MS = 1000, SLOW_MS = 1500, SLOW_AFTER_MS = 60_000, AWAY_MS = 5000;
    const began = Date.now();

    // --- Change only what differs ----------------------------------------------------------------------------------

    function morph(now, next) {
        if (now.nodeType !== next.nodeType || now.nodeName !== next.nodeName || now.id !== next.id) {
            now.replaceWith(next);
        } else if (now.nodeType !== Node.ELEMENT_NODE) {
            if (now.nodeValue !== next.nodeValue) now.nodeValue = next.nodeValue;
        } else if (!now.isEqualNode(next)) {
            morphAttributes(now, next);
            morphChildren(now, next);
        }
    }

    function morphAttributes(now, next) {
        // What somebody has opened, ticked or sent is theirs; a token against forgery stays valid.
        const theirs = (name) => name === "data-sent" || (now.nodeName === "DETAILS" && name === "open") || (now.nodeName === "INPUT" && name === "checked");
        for (const { name } of [...now.attributes]) {
            if (!next.hasAttribute(name) && !theirs(name)) now.removeAttribute(name);
        }
        for (const { name, value } of [...next.attributes]) {
            if (now.getAttribute(name) !== value && !theirs(name)) now.setAttribute(name, value);
        }
    }

    function morphChildren(now, next) {
        const wanted = [...next.childNodes];
        wanted.forEach((child, index) => {
            let mine = now.childNodes[index];
            const sameId = child.id && [...now.children].find((each) => each.id === child.id);
            if (sameId && sameId !== mine) {
                now.insertBefore(sameId, mine);
                mine = sameId;
            }
            if (!mine) now.append(child);
            else if (child.id && !sameId) now.insertBefore(child, mine);
            else morph(mine, child);
        });
        while (now.childNodes.length > wanted.length) now.lastChild.remove();
    }

    // --- Follow the work -------------------------------------------------------------------------------------------

    function pause(element, failures) {
        if (failures) return AWAY_MS;
        if (element?.dataset.pause) return Number(element.dataset.pause);
        return Date.now() - began < SLOW_AFTER_MS ? FAST_MS : SLOW_MS;
    }

    async function follow(id, failures = 0) {
        await new Promise((done) => setTimeout(done, pause(document.getElementById(id), failures)));
        const element = document.getElementById(id);
        if (!element?.dataset.poll) return;
        if (document.hidden) await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
        try {
            const answer = await fetch(element.dataset.poll, { credentials: "same-origin", headers: { "X-Fragment": "1" } });
            if (answer.redirected || answer.status === 403 || answer.status === 404) return window.location.reload();
            if (!answer.ok) throw new Error(answer.status);
            if (answer.status !== 204) show(element, await answer.text());
            say("lost", "");
            return follow(id);
        } catch {
            say("lost", "The console does not answer; what you see may be old. Trying again.");
            return follow(id, failures + 1);
        }
    }

    function show(element, html) {
        const next = new DOMParser().parseFromString(html, "text/html").getElementById(element.id);
        if (!next) return window.location.reload();
        const said = element.dataset.say;
        morph(element, next);
        const now = document.getElementById(next.id);
        if (now.dataset.say !== said) say("said", now.dataset.say || "");
        tick();
    }

    function say(id, words) {
        const place = document.getElementById(`console-${id}`);
        if (place && place.textContent !== words) place.textContent = words;
    }

    // --- Time ------------------------------------------------------------------------------------------------------

    const UNITS = [[86400 * 30, 86400 * 30, "months"], [86400 * 2, 86400, "days"], [3600, 3600, "h"], [60, 60, "min"], [0, 1, "s"]];

    function distance(seconds) {
        const far = Math.abs(seconds);
        if (far < 10) return "just now";
        const [, size, name] = UNITS.find(([from]) => far >= from);
        const count = Math.round(far / size);
        const amount = `${count} ${count === 1 && name === "months" ? "month" : name}`;
        return seconds < 0 ? `${amount} ago` : `in ${amount}`;
    }

    function left(seconds) {
        const whole = Math.max(0, Math.round(seconds));
        return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
    }

    function tick() {
        for (const each of document.querySelectorAll("time[data-time]")) {
            const seconds = (new Date(each.dateTime) - Date.now()) / 1000;
            const words = each.dataset.time === "left" ? left(seconds) : distance(seconds);
            if (each.textContent !== words) each.textContent = words;
        }
    }

    // --- Keys and clicks -------------------------------------------------------------------------------------------

    function typing(target) {
        return target.closest("input, textarea, select, [contenteditable]");
    }

    // Who speaks to the computer, or presses keys by accident, turns them off.
    function keysAreOn() {
        return localStorage.getItem("console-keys") !== "off";
    }

    function showKeys() {
        const box = document.getElementById("console-keys-on");
        if (!box) return;
        box.checked = keysAreOn();
        box.addEventListener("change", () => localStorage.setItem("console-keys", box.checked ? "on" : "off"));
    }

    function goToSearch(search) {
        const list = document.querySelector("[data-search]");
        if (search) search.focus();
        else if (list) window.location = `${list.href}#searchbar`;
    }

    // Some keys follow a link of the page, if it has one to where they lead.
    function linkOf(key) {
        const to = document.querySelector(`[data-follows="${CSS.escape(key)}"]`)?.dataset.to;
        return to && document.querySelector(`a[href="${CSS.escape(to)}"]`);
    }

    function onKey(event) {
        if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !keysAreOn()) return;
        const search = document.getElementById("searchbar");
        const help = document.getElementById("console-keys");
        const go = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`) || linkOf(event.key);
        if (event.key === "/") goToSearch(search);
        else if (event.key === "?" && help) help.open ? help.close() : help.showModal();
        else if (go && !document.querySelector("dialog[open]")) go.click();
        else return;
        event.preventDefault();
    }

    async function onClick(event) {
        const copy = event.target.closest("[data-copy], [data-copy-text]");
        if (copy) {
            const { copy: address, copyText: text } = copy.dataset;
            await navigator.clipboard.writeText(text ?? new URL(address, window.location.href).href);
            say("said", "Copied");
            const words = copy.querySelector("[data-words]") || copy;
            const before = words.textContent;
            words.textContent = "Copied";
            setTimeout(() => { words.textContent = before; }, 2000);
        }
        closeAllBut(event.target.closest("[data-closes]"));
        const opener = event.target.closest("[data-opens]");
        if (opener) document.getElementById(opener.dataset.opens)?.showModal();
    }

    // A menu lies over the page until something else is wanted.
    function closeAllBut(kept) {
        for (const each of document.querySelectorAll("[data-closes][open]")) if (each !== kept) each.open = false;
    }

    function onEscape(event) {
        const open = event.key === "Escape" && document.querySelector("[data-closes][open]");
        if (!open) return;
        open.open = false;
        open.querySelector("summary").focus();
    }

    // What an address points at may lie in a part that is folded away.
    function unfold() {
        const wanted = document.getElementById(window.location.hash.slice(1));
        const folded = wanted?.closest("details:not([open])");
        if (folded) folded.open = true;
        if (folded) wanted.focus();
    }

    document.addEventListener("DOMContentLoaded", () => {
        unfold();
        window.addEventListener("hashchange", unfold);
        for (const each of document.querySelectorAll("[data-poll]")) follow(each.id);
        if (window.location.hash === "#searchbar") document.getElementById("searchbar")?.focus();
        showKeys();
        document.addEventListener("keydown", onKey);
        document.addEventListener("keydown", onEscape);
        document.addEventListener("focusin", (event) => closeAllBut(event.target.closest("[data-closes]")));
        document.addEventListener("click", onClick);
        // A second press of a button that is on its way would only be told that it came late.
        document.addEventListener("submit", (event) => {
            if (event.target.closest("[data-once]")) {
                if (event.target.dataset.sent) event.preventDefault();
                event.target.dataset.sent = "yes";
            }
        });
        window.addEventListener("pageshow", () => document.querySelectorAll("[data-sent]").forEach((each) => delete each.dataset.sent));
        setInterval(tick, 1000);
    });
}
